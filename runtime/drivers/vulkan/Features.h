// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a device can do, and which of it a module needs.

#ifndef UMBER_RUNTIME_DRIVERS_VULKAN_FEATURES_H
#define UMBER_RUNTIME_DRIVERS_VULKAN_FEATURES_H

#include "runtime/drivers/vulkan/Vulkan.h"

#include <string>
#include <vector>

namespace umber::vulkan {

/// Features by the extensions that they came with, chained so that the Vulkan
/// of either a query or a creation reads them. It is not copied or moved.
class FeatureChain {
public:
  /// With all features off. `version` is the device's; extensions that it does
  /// not have are left out.
  FeatureChain(VkPhysicalDevice device, uint32_t version);
  FeatureChain(const FeatureChain &) = delete;
  FeatureChain &operator=(const FeatureChain &) = delete;

  VkPhysicalDeviceFeatures2 core = {
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
  VkPhysicalDevice16BitStorageFeatures storage16 = {
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES};
  VkPhysicalDeviceTimelineSemaphoreFeatures timeline = {
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES};
  VkPhysicalDevice8BitStorageFeatures storage8 = {
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES};
  VkPhysicalDeviceShaderFloat16Int8Features small = {
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES};
  VkPhysicalDeviceShaderIntegerDotProductFeatures dot = {
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES};

  /// Extensions to enable with a device for what is chained.
  const std::vector<const char *> &extensions() const { return names; }

private:
  std::vector<const char *> names;
};

/// Turns on in `chain` what code with these SPIR-V capabilities needs, and what
/// the driver does. Unsupported, with the name of what is missing, if `has`,
/// the device's features, or its subgroups have less. `device` is its name.
Status requireFeatures(const std::vector<uint32_t> &capabilities,
                       VkPhysicalDevice physical, const FeatureChain &has,
                       const std::string &device, FeatureChain &chain);

} // namespace umber::vulkan

#endif // UMBER_RUNTIME_DRIVERS_VULKAN_FEATURES_H
