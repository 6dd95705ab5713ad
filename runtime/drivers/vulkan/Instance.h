// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The Vulkan loader and the devices that it knows.

#ifndef UMBER_RUNTIME_DRIVERS_VULKAN_INSTANCE_H
#define UMBER_RUNTIME_DRIVERS_VULKAN_INSTANCE_H

#include "runtime/drivers/vulkan/Vulkan.h"

#include <vector>

namespace umber::vulkan {

/// The devices of this machine in the loader's order, found when first asked
/// for; they stay valid. NotFound, with what is missing, if there are none.
///
/// With UMBER_VULKAN_VALIDATION=1 in the environment, which tests set, the
/// Khronos validation layer watches all calls, and the process aborts with its
/// first message.
const Result<std::vector<VkPhysicalDevice>> &physicalDevices();

} // namespace umber::vulkan

#endif // UMBER_RUNTIME_DRIVERS_VULKAN_INSTANCE_H
