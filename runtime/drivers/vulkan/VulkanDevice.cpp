// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/vulkan/VulkanDevice.h"

#include "runtime/drivers/vulkan/Features.h"
#include "runtime/drivers/vulkan/SpirvModule.h"

#include <algorithm>
#include <cstring>

using namespace umber;
using namespace umber::vulkan;

namespace {

/// Of the memory that copies go through.
constexpr uint64_t kWindowBytes = uint64_t(4) << 20;
/// Weights come in buffers of up to this: larger ones are harder to place.
constexpr uint64_t kLargestBuffer = uint64_t(1) << 30;

const PoolBuffer &cast(const gpu::Buffer &buffer) {
  return static_cast<const PoolBuffer &>(buffer);
}

/// What a texel buffer of words can have.
uint64_t getTexelBytes(const VkPhysicalDeviceLimits &limits) {
  return uint64_t(limits.maxTexelBufferElements) * sizeof(uint32_t);
}

/// The first type with all of these properties, or -1.
int findType(const VkPhysicalDeviceMemoryProperties &memory,
             VkMemoryPropertyFlags wanted) {
  for (uint32_t i = 0; i < memory.memoryTypeCount; ++i) {
    if ((memory.memoryTypes[i].propertyFlags & wanted) == wanted) {
      return int(i);
    }
  }
  return -1;
}

} // namespace

bool VulkanDevice::takesTexels(VkPhysicalDevice physical) {
  // A model's largest matrix: 256 MiB. Vulkan promises only a thousandth of it.
  constexpr uint64_t kEnough = uint64_t(256) << 20;
  VkPhysicalDeviceProperties properties;
  vkGetPhysicalDeviceProperties(physical, &properties);
  const VkPhysicalDeviceLimits &limits = properties.limits;
  return limits.minTexelBufferOffsetAlignment <= gpu::kRangeAlignment &&
         getTexelBytes(limits) >=
             std::min<uint64_t>(limits.maxStorageBufferRange, kEnough);
}

Result<std::unique_ptr<gpu::Device>>
VulkanDevice::open(VkPhysicalDevice physical, const std::string &name,
                   const gpu::Plan &plan, bool isStaged) {
  std::unique_ptr<VulkanDevice> device(new VulkanDevice);
  device->deviceName = name;
  if (Status status = device->create(physical, plan, isStaged); !status.ok()) {
    return status;
  }
  return std::unique_ptr<gpu::Device>(std::move(device));
}

Status VulkanDevice::create(VkPhysicalDevice physical, const gpu::Plan &plan,
                            bool isStaged) {
  Result<SpirvModule> module = parseSpirv(plan.code);
  if (!module.ok()) {
    return Status(module.status().code(),
                  "target gpu: " + module.status().message());
  }
  VkPhysicalDeviceMaintenance3Properties largest = {
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES};
  VkPhysicalDeviceProperties2 properties = {
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, &largest, {}};
  vkGetPhysicalDeviceProperties2(physical, &properties);
  limits = properties.properties.limits;
  largestBuffer =
      std::min<uint64_t>(largest.maxMemoryAllocationSize, kLargestBuffer);
  largestRange = limits.maxStorageBufferRange;
  if (module->readsTexels()) {
    largestRange = std::min(largestRange, getTexelBytes(limits));
  }
  if (Status status = checkKernels(plan, *module, limits, deviceName);
      !status.ok()) {
    return status;
  }
  if (Status status = createDevice(physical, module->capabilities);
      !status.ok()) {
    return status;
  }
  Result<Pipelines> compiled =
      Pipelines::create(owner.device, deviceName, plan, *module);
  if (!compiled.ok()) {
    return compiled.status();
  }
  pipelines = std::move(*compiled);
  return createPools(physical, isStaged);
}

Status VulkanDevice::createDevice(VkPhysicalDevice physical,
                                  const std::vector<uint32_t> &capabilities) {
  VkPhysicalDeviceProperties properties;
  vkGetPhysicalDeviceProperties(physical, &properties);
  if (properties.apiVersion < VK_API_VERSION_1_1) {
    return Status(StatusCode::Unsupported,
                  deviceName + ": the device has no Vulkan 1.1");
  }
  FeatureChain has(physical, properties.apiVersion);
  vkGetPhysicalDeviceFeatures2(physical, &has.core);
  FeatureChain wanted(physical, properties.apiVersion);
  if (Status status =
          requireFeatures(capabilities, physical, has, deviceName, wanted);
      !status.ok()) {
    return status;
  }
  uint32_t count = 0;
  vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vkGetPhysicalDeviceQueueFamilyProperties(physical, &count, families.data());
  auto family = std::find_if(families.begin(), families.end(),
                             [](const VkQueueFamilyProperties &each) {
                               return each.queueFlags & VK_QUEUE_COMPUTE_BIT;
                             });
  if (family == families.end()) {
    return Status(StatusCode::Unsupported,
                  deviceName + ": the device has no queue that computes");
  }
  validBits = family->timestampValidBits;
  auto index = uint32_t(family - families.begin());
  float priority = 1.0f;
  VkDeviceQueueCreateInfo queueInfo = {
      VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO};
  queueInfo.queueFamilyIndex = index;
  queueInfo.queueCount = 1;
  queueInfo.pQueuePriorities = &priority;
  VkDeviceCreateInfo info = {VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO};
  info.pNext = &wanted.core;
  info.queueCreateInfoCount = 1;
  info.pQueueCreateInfos = &queueInfo;
  info.enabledExtensionCount = uint32_t(wanted.extensions().size());
  info.ppEnabledExtensionNames = wanted.extensions().data();
  VkResult result = vkCreateDevice(physical, &info, nullptr, &owner.device);
  if (result != VK_SUCCESS) {
    return failure(result, deviceName + ": cannot open the device");
  }
  VkQueue handle = VK_NULL_HANDLE;
  vkGetDeviceQueue(owner.device, index, 0, &handle);
  queue = std::make_unique<Queue>(owner.device, deviceName, handle, index);
  return {};
}

Status VulkanDevice::createPools(VkPhysicalDevice physical, bool isStaged) {
  constexpr VkMemoryPropertyFlags kVisible =
      VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
      VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
  VkPhysicalDeviceMemoryProperties types;
  vkGetPhysicalDeviceMemoryProperties(physical, &types);
  // Uncached memory, as cards show some of theirs, is too slow to read from.
  auto makePool = [&](int type, bool isMapped) {
    uint32_t heap = types.memoryTypes[type].heapIndex;
    return std::make_unique<Pool>(owner.device, deviceName, type,
                                  types.memoryHeaps[heap].size, isMapped);
  };
  int shared = findType(types, kVisible | VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT |
                                   VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
  if (shared >= 0 && !isStaged) {
    memory = makePool(shared, true);
    return {};
  }
  int local = findType(types, VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
  int visible = findType(types, kVisible | VK_MEMORY_PROPERTY_HOST_CACHED_BIT);
  visible = visible >= 0 ? visible : findType(types, kVisible);
  if (local < 0 || visible < 0) {
    return Status(StatusCode::Unsupported,
                  deviceName + ": the device has no memory of its own, or none "
                               "that the host sees");
  }
  memory = makePool(local, false);
  staging = makePool(visible, true);
  Result<Commands> made = Commands::create(*queue);
  if (!made.ok()) {
    return made.status();
  }
  copies = std::move(*made);
  Result<VkCommandBuffer> commands = copies.allocate();
  if (!commands.ok()) {
    return commands.status();
  }
  copyCommands = *commands;
  Result<std::unique_ptr<PoolBuffer>> buffer =
      staging->allocate(kWindowBytes, "copies");
  if (!buffer.ok()) {
    return buffer.status();
  }
  window = std::move(*buffer);
  return {};
}

Result<std::unique_ptr<gpu::Buffer>>
VulkanDevice::allocate(uint64_t bytes, const char *purpose) {
  Result<std::unique_ptr<PoolBuffer>> buffer = memory->allocate(bytes, purpose);
  if (!buffer.ok()) {
    return buffer.status();
  }
  return std::unique_ptr<gpu::Buffer>(std::move(*buffer));
}

template <typename Copy>
Status VulkanDevice::copyStaged(uint64_t bytes, Copy copy) {
  std::lock_guard<std::mutex> lock(copying);
  for (uint64_t done = 0; done < bytes; done += kWindowBytes) {
    uint64_t part = std::min(bytes - done, kWindowBytes);
    if (Status status = copy(done, part); !status.ok()) {
      return status;
    }
  }
  return {};
}

Status VulkanDevice::write(const gpu::Buffer &buffer, uint64_t offset,
                           const void *from, uint64_t bytes) {
  const PoolBuffer &to = cast(buffer);
  if (to.mapped()) {
    std::memcpy(to.mapped() + offset, from, bytes);
    return {};
  }
  auto copy = [&](uint64_t done, uint64_t part) -> Status {
    std::memcpy(window->mapped(), static_cast<const char *>(from) + done, part);
    if (Status status = copies.begin(copyCommands); !status.ok()) {
      return status;
    }
    VkBufferCopy region = {window->offset(), to.offset() + offset + done, part};
    vkCmdCopyBuffer(copyCommands, window->handle(), to.handle(), 1, &region);
    addBarrier(copyCommands, VK_PIPELINE_STAGE_TRANSFER_BIT,
               VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT |
                   VK_PIPELINE_STAGE_TRANSFER_BIT);
    Status status = copies.end(copyCommands);
    return status.ok() ? copies.run({copyCommands}) : status;
  };
  return copyStaged(bytes, copy);
}

Status VulkanDevice::read(const gpu::Buffer &buffer, uint64_t offset, void *to,
                          uint64_t bytes) {
  const PoolBuffer &from = cast(buffer);
  if (from.mapped()) {
    std::memcpy(to, from.mapped() + offset, bytes);
    return {};
  }
  auto copy = [&](uint64_t done, uint64_t part) -> Status {
    if (Status status = copies.begin(copyCommands); !status.ok()) {
      return status;
    }
    VkBufferCopy region = {from.offset() + offset + done, window->offset(),
                           part};
    vkCmdCopyBuffer(copyCommands, from.handle(), window->handle(), 1, &region);
    addBarrier(copyCommands, VK_PIPELINE_STAGE_TRANSFER_BIT,
               VK_PIPELINE_STAGE_HOST_BIT);
    Status status = copies.end(copyCommands);
    if (status.ok()) {
      status = copies.run({copyCommands});
    }
    if (status.ok()) {
      std::memcpy(static_cast<char *>(to) + done, window->mapped(), part);
    }
    return status;
  };
  return copyStaged(bytes, copy);
}
