// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vulkan's objects as C++ has them: owned, and with failures as a Status.

#ifndef UMBER_RUNTIME_DRIVERS_VULKAN_VULKAN_H
#define UMBER_RUNTIME_DRIVERS_VULKAN_VULKAN_H

#include "runtime/package/Status.h"

#include <volk.h>

#include <utility>

namespace umber::vulkan {

/// What a call returned, as an error of `what`, such as "vulkan:0: cannot
/// create a pipeline": OutOfMemory for what has to do with memory, else
/// Internal.
Status failure(VkResult result, const std::string &what);

/// An object of a device, destroyed with this.
template <typename T>
class Owned {
public:
  /// As vkDestroyFence has it.
  using Destroy = void(VKAPI_PTR *)(VkDevice, T, const VkAllocationCallbacks *);

  Owned() = default;
  Owned(VkDevice device, Destroy destroy) : device(device), destroy(destroy) {}
  Owned(Owned &&other) noexcept { *this = std::move(other); }
  Owned &operator=(Owned &&other) noexcept {
    std::swap(device, other.device);
    std::swap(destroy, other.destroy);
    std::swap(handle, other.handle);
    return *this;
  }
  ~Owned() {
    if (handle) {
      destroy(device, handle, nullptr);
    }
  }

  T get() const { return handle; }
  /// Where a call that creates the object puts it.
  T *out() { return &handle; }

private:
  VkDevice device = VK_NULL_HANDLE;
  Destroy destroy = nullptr;
  T handle = VK_NULL_HANDLE;
};

} // namespace umber::vulkan

#endif // UMBER_RUNTIME_DRIVERS_VULKAN_VULKAN_H
