// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/vulkan/VulkanDriver.h"

#include "runtime/drivers/gpu/GpuDriver.h"
#include "runtime/drivers/vulkan/Instance.h"
#include "runtime/drivers/vulkan/VulkanDevice.h"

#include <cstdlib>
#include <string_view>

using namespace umber;
using namespace umber::vulkan;

namespace {

/// UMBER_VULKAN_MEMORY=staged, with which tests ask that the host see no memory
/// of the device, as with most cards.
Result<bool> isStaged() {
  const char *variable = std::getenv("UMBER_VULKAN_MEMORY");
  std::string_view value = variable ? variable : "";
  if (value.empty() || value == "staged") {
    return value == "staged";
  }
  return Status(StatusCode::InvalidArgument,
                "UMBER_VULKAN_MEMORY must be staged or not set, not " +
                    std::string(value));
}

class VulkanBackend : public gpu::Backend {
public:
  const char *prefix() const override { return "vulkan:"; }

  Result<size_t> count() const override {
    const Result<std::vector<VkPhysicalDevice>> &devices = physicalDevices();
    if (!devices.ok()) {
      return devices.status();
    }
    return devices->size();
  }

  // What follows is asked of devices that count() has seen.

  Result<std::string> describe(size_t index,
                               const std::string &) const override {
    VkPhysicalDevice physical = physicalDevices()->at(index);
    VkPhysicalDeviceProperties properties;
    vkGetPhysicalDeviceProperties(physical, &properties);
    VkPhysicalDeviceMemoryProperties memory;
    vkGetPhysicalDeviceMemoryProperties(physical, &memory);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < memory.memoryHeapCount; ++i) {
      if (memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) {
        bytes += memory.memoryHeaps[i].size;
      }
    }
    return std::string(properties.deviceName) + ", Vulkan " +
           std::to_string(VK_API_VERSION_MAJOR(properties.apiVersion)) + "." +
           std::to_string(VK_API_VERSION_MINOR(properties.apiVersion)) + ", " +
           std::to_string(bytes >> 20) + " MiB";
  }

  bool takes(size_t index, const std::string &isa) const override {
    return isa == "spirv1.3" ||
           (isa == kTexelsIsa &&
            VulkanDevice::takesTexels(physicalDevices()->at(index)));
  }

  Result<std::unique_ptr<gpu::Device>>
  open(size_t index, const std::string &name,
       const gpu::Plan &plan) const override {
    Result<bool> staged = isStaged();
    if (!staged.ok()) {
      return staged.status();
    }
    return VulkanDevice::open(physicalDevices()->at(index), name, plan,
                              *staged);
  }
};

} // namespace

Result<std::vector<const Driver *>> umber::vulkanDrivers() {
  static const VulkanBackend backend;
  static const gpu::DriverList drivers(backend);
  return drivers.get();
}
