// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/vulkan/Vulkan.h"

using namespace umber;

Status umber::vulkan::failure(VkResult result, const std::string &what) {
  switch (result) {
  case VK_ERROR_OUT_OF_HOST_MEMORY:
    return Status(StatusCode::OutOfMemory, what + ": out of host memory");
  case VK_ERROR_OUT_OF_DEVICE_MEMORY:
    return Status(StatusCode::OutOfMemory, what + ": out of device memory");
  case VK_ERROR_OUT_OF_POOL_MEMORY:
  case VK_ERROR_FRAGMENTATION:
    return Status(StatusCode::OutOfMemory, what + ": out of descriptors");
  case VK_ERROR_DEVICE_LOST:
    return Status(StatusCode::Internal, what + ": the device was lost");
  default:
    return Status(StatusCode::Internal, what + ": the device's driver says " +
                                            std::to_string(result));
  }
}
