// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/vulkan/VulkanDriver.h"

#include "runtime/drivers/gpu/Model.h"
#include "runtime/drivers/vulkan/Instance.h"
#include "runtime/drivers/vulkan/VulkanDevice.h"
#include "runtime/package/Package.h"

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

} // namespace

Result<size_t> VulkanDriver::count() {
  const Result<std::vector<VkPhysicalDevice>> &devices = physicalDevices();
  if (!devices.ok()) {
    return devices.status();
  }
  return devices->size();
}

Result<DeviceDescription> VulkanDriver::describe() const {
  const Result<std::vector<VkPhysicalDevice>> &devices = physicalDevices();
  if (!devices.ok()) {
    return devices.status();
  }
  if (index >= devices->size()) {
    return Status(StatusCode::NotFound, "no device is called " + deviceName +
                                            "; Vulkan devices here: " +
                                            std::to_string(devices->size()));
  }
  VkPhysicalDevice physical = (*devices)[index];
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
  return DeviceDescription{
      deviceName,
      std::string(properties.deviceName) + ", Vulkan " +
          std::to_string(VK_API_VERSION_MAJOR(properties.apiVersion)) + "." +
          std::to_string(VK_API_VERSION_MINOR(properties.apiVersion)) + ", " +
          std::to_string(bytes >> 20) + " MiB",
      1};
}

Result<std::unique_ptr<DeviceModel>>
VulkanDriver::load(std::shared_ptr<const Package> package,
                   const LoadOptions &options) const {
  const Result<std::vector<VkPhysicalDevice>> &devices = physicalDevices();
  if (!devices.ok()) {
    return devices.status();
  }
  if (Status status = gpu::checkOptions(options, deviceName); !status.ok()) {
    return status;
  }
  Result<bool> staged = isStaged();
  if (!staged.ok()) {
    return staged.status();
  }
  bool takesTexels = VulkanDevice::takesTexels(devices->at(index));
  Result<gpu::Plan> plan = gpu::makePlan(
      *package, options.isa, deviceName, [&](const std::string &isa) {
        return isa == "spirv1.3" || (isa == kTexelsIsa && takesTexels);
      });
  if (!plan.ok()) {
    return plan.status();
  }
  Result<std::unique_ptr<gpu::Device>> device =
      VulkanDevice::open(devices->at(index), deviceName, *plan, *staged);
  if (!device.ok()) {
    return device.status();
  }
  return gpu::createModel(std::move(package), std::move(*plan),
                          std::move(*device));
}
