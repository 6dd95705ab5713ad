// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/gpu/Model.h"

#include "runtime/drivers/gpu/State.h"
#include "runtime/package/Package.h"

using namespace umber;
using namespace umber::gpu;

namespace {

class GpuModel : public DeviceModel {
public:
  GpuModel(std::shared_ptr<const Package> package, Plan planned,
           std::unique_ptr<Device> onDevice, Weights uploaded)
      : package(std::move(package)), plan(std::move(planned)),
        device(std::move(onDevice)), weights(std::move(uploaded)),
        stacks(*device, *plan.target) {}

  int32_t maxTokens() const override { return plan.maxTokens(); }
  int32_t threads() const override { return 1; }
  const std::string &isa() const override { return plan.isa; }
  uint64_t weightBytes() const override { return weights.bytes(); }
  int32_t candidates() const override { return int32_t(plan.candidates); }
  const char *cacheLayout() const override { return "heads"; }

  const fbs::Target *adapterTarget() const override { return plan.target; }
  Result<std::shared_ptr<const DeviceAdapter>>
  loadAdapter(const FittedAdapter &adapter) const override {
    return std::shared_ptr<const DeviceAdapter>(
        std::make_shared<HalfAdapter>(*plan.target, adapter));
  }

  Result<std::unique_ptr<DeviceState>>
  createState(int32_t capacity) const override {
    return State::create({*device, plan, weights, stacks}, capacity);
  }

private:
  std::shared_ptr<const Package> package; // the plan points into it
  Plan plan;
  std::unique_ptr<Device> device;
  Weights weights;
  mutable Stacks stacks;
};

} // namespace

Result<std::unique_ptr<DeviceModel>>
umber::gpu::createModel(std::shared_ptr<const Package> package, Plan plan,
                        std::unique_ptr<Device> device) {
  Result<Weights> weights = Weights::upload(*device, *package, *plan.target);
  if (!weights.ok()) {
    return weights.status();
  }
  return std::unique_ptr<DeviceModel>(
      std::make_unique<GpuModel>(std::move(package), std::move(plan),
                                 std::move(device), std::move(*weights)));
}
