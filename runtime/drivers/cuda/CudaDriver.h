// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NVIDIA's GPUs through the CUDA driver API: the package's "gpu" target, of
// which they take PTX.

#ifndef UMBER_RUNTIME_DRIVERS_CUDA_CUDADRIVER_H
#define UMBER_RUNTIME_DRIVERS_CUDA_CUDADRIVER_H

#include "runtime/drivers/Driver.h"

namespace umber {

/// One device, "cuda:0" and so on in CUDA's order.
class CudaDriver : public Driver {
public:
  explicit CudaDriver(size_t index)
      : index(index), deviceName("cuda:" + std::to_string(index)) {}

  const char *name() const override { return deviceName.c_str(); }
  Result<DeviceDescription> describe() const override;
  Result<std::unique_ptr<DeviceModel>>
  load(std::shared_ptr<const Package> package,
       const LoadOptions &options) const override;

  /// How many devices there are, or why there are none.
  static Result<size_t> count();

private:
  size_t index;
  std::string deviceName;
};

} // namespace umber

#endif // UMBER_RUNTIME_DRIVERS_CUDA_CUDADRIVER_H
