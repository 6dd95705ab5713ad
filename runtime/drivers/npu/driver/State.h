// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One session on a neural engine.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_DRIVER_STATE_H
#define UMBER_RUNTIME_DRIVERS_NPU_DRIVER_STATE_H

#include "runtime/drivers/Driver.h"
#include "runtime/drivers/npu/driver/Adapters.h"
#include "runtime/drivers/npu/driver/Cache.h"
#include "runtime/drivers/npu/driver/Device.h"

namespace umber::npu {

class State : public DeviceState {
public:
  /// All outlive the state.
  static Result<std::unique_ptr<DeviceState>> create(const Plan &plan,
                                                     Device &device,
                                                     AdapterImages &images,
                                                     int32_t capacity);

  Status run(const Step &step, const float **logits) override;
  Status setAdapters(std::vector<ActiveAdapter> adapters) override;
  uint64_t cacheBytes(int32_t positions) const override {
    return cache.packedBytes(positions);
  }
  Status readCache(int32_t positions, void *out) const override;
  Status writeCache(int32_t positions, const void *in) override;

private:
  State(const Plan &plan, Device &device, AdapterImages &images)
      : plan(plan), device(device), images(images) {}

  const Plan &plan;
  Device &device;
  AdapterImages &images;
  std::shared_ptr<const AdapterImage> adapters;
  Cache cache;
  /// Positions from here on have never held anything, or were cleared.
  int32_t end = 0;
  HostMemory io;
};

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_DRIVER_STATE_H
