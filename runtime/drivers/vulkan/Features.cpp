// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/vulkan/Features.h"

#include <algorithm>
#include <cstring>

using namespace umber;
using namespace umber::vulkan;

namespace {

/// A SPIR-V capability (the specification's section 3.31) and the feature
/// without which a device does not take it.
struct Capability {
  uint32_t number;
  const char *feature;
  VkBool32 *(*find)(FeatureChain &chain); ///< null: every device has it
};

const Capability kCapabilities[] = {
    {0, "matrices", nullptr},
    {1, "shaders", nullptr},
    {9, "shaderFloat16",
     [](FeatureChain &chain) { return &chain.small.shaderFloat16; }},
    {10, "shaderFloat64",
     [](FeatureChain &chain) { return &chain.core.features.shaderFloat64; }},
    {11, "shaderInt64",
     [](FeatureChain &chain) { return &chain.core.features.shaderInt64; }},
    {22, "shaderInt16",
     [](FeatureChain &chain) { return &chain.core.features.shaderInt16; }},
    {39, "shaderInt8",
     [](FeatureChain &chain) { return &chain.small.shaderInt8; }},
    {46, "texel buffers", nullptr},
    {4433, "storageBuffer16BitAccess",
     [](FeatureChain &chain) {
       return &chain.storage16.storageBuffer16BitAccess;
     }},
    {4448, "storageBuffer8BitAccess",
     [](FeatureChain &chain) {
       return &chain.storage8.storageBuffer8BitAccess;
     }},
    {6016, "shaderIntegerDotProduct",
     [](FeatureChain &chain) { return &chain.dot.shaderIntegerDotProduct; }},
    {6017, "shaderIntegerDotProduct",
     [](FeatureChain &chain) { return &chain.dot.shaderIntegerDotProduct; }},
    {6018, "shaderIntegerDotProduct",
     [](FeatureChain &chain) { return &chain.dot.shaderIntegerDotProduct; }},
    {6019, "shaderIntegerDotProduct",
     [](FeatureChain &chain) { return &chain.dot.shaderIntegerDotProduct; }},
};

/// Capabilities of subgroups, in the order of VkSubgroupFeatureFlagBits.
constexpr uint32_t kFirstSubgroup = 61, kLastSubgroup = 68;
const char *const kSubgroupNames[] = {
    "basic",     "vote", "arithmetic", "ballot", "shuffle", "relative shuffle",
    "clustered", "quad"};

struct Extension {
  const char *name;
  uint32_t coreSince; ///< the version of Vulkan that has it without asking
};

bool hasExtension(const std::vector<VkExtensionProperties> &all,
                  const char *name) {
  return std::any_of(all.begin(), all.end(),
                     [&](const VkExtensionProperties &extension) {
                       return std::strcmp(extension.extensionName, name) == 0;
                     });
}

std::vector<VkExtensionProperties> extensionsOf(VkPhysicalDevice device) {
  uint32_t count = 0;
  vkEnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr);
  std::vector<VkExtensionProperties> all(count);
  vkEnumerateDeviceExtensionProperties(device, nullptr, &count, all.data());
  all.resize(count);
  return all;
}

} // namespace

FeatureChain::FeatureChain(VkPhysicalDevice device, uint32_t version) {
  std::vector<VkExtensionProperties> all = extensionsOf(device);
  // Vulkan 1.1 has it.
  core.pNext = &storage16;
  void **end = &storage16.pNext;
  auto add = [&](auto &features, const Extension &extension) {
    if (version < extension.coreSince) {
      if (!hasExtension(all, extension.name)) {
        return;
      }
      names.push_back(extension.name);
    }
    *end = &features;
    end = &features.pNext;
  };
  add(timeline, {VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME, VK_API_VERSION_1_2});
  add(storage8, {VK_KHR_8BIT_STORAGE_EXTENSION_NAME, VK_API_VERSION_1_2});
  add(small, {VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME, VK_API_VERSION_1_2});
  add(dot,
      {VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME, VK_API_VERSION_1_3});
}

Status umber::vulkan::requireFeatures(const std::vector<uint32_t> &capabilities,
                                      VkPhysicalDevice physical,
                                      const FeatureChain &has,
                                      const std::string &device,
                                      FeatureChain &chain) {
  auto missing = [&](const std::string &what) {
    return Status(StatusCode::Unsupported,
                  device + ": the device has no " + what);
  };
  if (!has.timeline.timelineSemaphore) {
    return missing("timeline semaphores");
  }
  chain.timeline.timelineSemaphore = VK_TRUE;
  // Code that goes wrong must not leave its buffers.
  if (!has.core.features.robustBufferAccess) {
    return missing("robustBufferAccess");
  }
  chain.core.features.robustBufferAccess = VK_TRUE;

  VkPhysicalDeviceSubgroupProperties subgroups = {
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES};
  VkPhysicalDeviceProperties2 properties = {
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, &subgroups, {}};
  vkGetPhysicalDeviceProperties2(physical, &properties);
  for (uint32_t number : capabilities) {
    if (number >= kFirstSubgroup && number <= kLastSubgroup) {
      uint32_t bit = number - kFirstSubgroup;
      if (!(subgroups.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) ||
          !(subgroups.supportedOperations >> bit & 1)) {
        return missing(std::string(kSubgroupNames[bit]) +
                       " operations of subgroups");
      }
      // Code takes eight threads for one subgroup's (LaunchBuilder.h).
      if (subgroups.subgroupSize < 8) {
        return missing("subgroups of 8 or more");
      }
      continue;
    }
    const Capability *capability = std::find_if(
        std::begin(kCapabilities), std::end(kCapabilities),
        [&](const Capability &known) { return known.number == number; });
    if (capability == std::end(kCapabilities)) {
      return Status(StatusCode::Unsupported,
                    "the SPIR-V module needs capability " +
                        std::to_string(number) +
                        ", which this driver does not know");
    }
    if (!capability->find) {
      continue;
    }
    // What is found in a const chain is only read.
    if (!*capability->find(const_cast<FeatureChain &>(has))) {
      return missing(capability->feature);
    }
    *capability->find(chain) = VK_TRUE;
  }
  return {};
}
