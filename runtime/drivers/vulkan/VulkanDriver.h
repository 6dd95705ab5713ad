// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GPUs through Vulkan: the package's "gpu" target, of which they take SPIR-V.

#ifndef UMBER_RUNTIME_DRIVERS_VULKAN_VULKANDRIVER_H
#define UMBER_RUNTIME_DRIVERS_VULKAN_VULKANDRIVER_H

#include "runtime/drivers/Driver.h"

namespace umber {

/// A driver for each device, "vulkan:0" and so on in the loader's order, or why
/// there is none. They live forever.
Result<std::vector<const Driver *>> vulkanDrivers();

} // namespace umber

#endif // UMBER_RUNTIME_DRIVERS_VULKAN_VULKANDRIVER_H
