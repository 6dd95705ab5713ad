// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A package's target "gpu" on a device.

#ifndef UMBER_RUNTIME_DRIVERS_GPU_MODEL_H
#define UMBER_RUNTIME_DRIVERS_GPU_MODEL_H

#include "runtime/drivers/Driver.h"
#include "runtime/drivers/gpu/Device.h"
#include "runtime/drivers/gpu/Plan.h"

namespace umber::gpu {

/// Brings the plan's parameters to the device, which has the plan's kernels.
/// Errors are those of Weights::upload.
Result<std::unique_ptr<DeviceModel>>
createModel(std::shared_ptr<const Package> package, Plan plan,
            std::unique_ptr<Device> device);

} // namespace umber::gpu

#endif // UMBER_RUNTIME_DRIVERS_GPU_MODEL_H
