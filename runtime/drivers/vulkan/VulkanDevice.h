// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A Vulkan device with one package's kernels.

#ifndef UMBER_RUNTIME_DRIVERS_VULKAN_VULKANDEVICE_H
#define UMBER_RUNTIME_DRIVERS_VULKAN_VULKANDEVICE_H

#include "runtime/drivers/gpu/Device.h"
#include "runtime/drivers/gpu/Plan.h"
#include "runtime/drivers/vulkan/Pipelines.h"
#include "runtime/drivers/vulkan/Pool.h"
#include "runtime/drivers/vulkan/Queue.h"

namespace umber::vulkan {

/// Destroys the device with this.
struct DeviceHandle {
  VkDevice device = VK_NULL_HANDLE;
  ~DeviceHandle() {
    if (device) {
      vkDestroyDevice(device, nullptr);
    }
  }
};

class VulkanDevice : public gpu::Device {
public:
  /// Opens the device and compiles the plan's kernels. Where the host sees the
  /// device's memory, copies are the host's, unless `isStaged`; else they go
  /// through memory that both see. Unsupported, with what is missing, for code
  /// that the device cannot run; CorruptFile.
  static Result<std::unique_ptr<gpu::Device>> open(VkPhysicalDevice physical,
                                                   const std::string &name,
                                                   const gpu::Plan &plan,
                                                   bool isStaged);
  /// Whether the device sees as much memory through texel buffers as through
  /// storage buffers, or as packages need, wherever it begins.
  static bool takesTexels(VkPhysicalDevice physical);

  const std::string &name() const override { return deviceName; }
  uint64_t maxRangeBytes() const override { return largestRange; }
  uint64_t maxBufferBytes() const override { return largestBuffer; }
  Result<std::unique_ptr<gpu::Buffer>> allocate(uint64_t bytes,
                                                const char *purpose) override;
  Status write(const gpu::Buffer &buffer, uint64_t offset, const void *from,
               uint64_t bytes) override;
  Status read(const gpu::Buffer &buffer, uint64_t offset, void *to,
              uint64_t bytes) override;
  /// In VulkanStream.cpp.
  Result<std::unique_ptr<gpu::Stream>>
  createStream(uint64_t inputBytes, uint64_t resultBytes) override;

  VkDevice handle() const { return owner.device; }
  Queue &commandQueue() { return *queue; }
  const Pipelines &kernels() const { return pipelines; }
  /// Memory that the host and the device see, for copies; null where the host
  /// sees all of the device's.
  Pool *stagingPool() { return staging.get(); }
  double nanosecondsPerTick() const { return limits.timestampPeriod; }
  /// Of a timestamp; 0: the device takes none.
  uint32_t timestampBits() const { return validBits; }

private:
  VulkanDevice() = default;
  Status create(VkPhysicalDevice physical, const gpu::Plan &plan,
                bool isStaged);
  Status createDevice(VkPhysicalDevice physical,
                      const std::vector<uint32_t> &capabilities);
  Status createPools(VkPhysicalDevice physical, bool isStaged);
  /// Copies through the staging memory, a part at a time.
  template <typename Copy>
  Status copyStaged(uint64_t bytes, Copy copy);

  std::string deviceName;
  VkPhysicalDeviceLimits limits = {};
  uint64_t largestBuffer = 0, largestRange = 0;
  uint32_t validBits = 0;
  // In the order in which they need each other.
  DeviceHandle owner;
  std::unique_ptr<Queue> queue;
  std::unique_ptr<Pool> memory, staging;
  Pipelines pipelines;
  std::mutex copying; // of what follows
  Commands copies;
  VkCommandBuffer copyCommands = VK_NULL_HANDLE;
  std::unique_ptr<PoolBuffer> window;
};

} // namespace umber::vulkan

#endif // UMBER_RUNTIME_DRIVERS_VULKAN_VULKANDEVICE_H
