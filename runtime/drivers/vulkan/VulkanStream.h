// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One session's commands on a Vulkan device.

#ifndef UMBER_RUNTIME_DRIVERS_VULKAN_VULKANSTREAM_H
#define UMBER_RUNTIME_DRIVERS_VULKAN_VULKANSTREAM_H

#include "runtime/drivers/vulkan/VulkanDevice.h"

namespace umber::vulkan {

class VulkanStream : public gpu::Stream {
public:
  /// The device outlives the stream.
  static Result<std::unique_ptr<gpu::Stream>>
  create(VulkanDevice &device, uint64_t inputBytes, uint64_t resultBytes);

  Result<std::unique_ptr<gpu::Recording>>
  record(const std::vector<gpu::Launch> &launches, const gpu::Range &input,
         bool isTimed) override;
  Status run(gpu::Recording &recording, const void *input,
             const gpu::Range &result, const void **output) override;
  Status readTimes(const gpu::Recording &recording,
                   std::vector<uint64_t> &nanoseconds) override;

private:
  class Recorded;

  explicit VulkanStream(VulkanDevice &device) : device(device) {}
  Status allocate(uint64_t inputBytes, uint64_t resultBytes);
  /// The descriptor sets of each launch.
  using Sets = std::vector<std::vector<VkDescriptorSet>>;

  Status createSets(const std::vector<gpu::Launch> &launches,
                    Recorded &recording, Sets &sets);
  /// A range's texels as a descriptor set has them, of a word or of four.
  Result<VkBufferView> viewOf(const gpu::Range &range, uint32_t set,
                              Recorded &recording);
  Status recordCommands(const std::vector<gpu::Launch> &launches,
                        const Sets &sets, Recorded &recording);
  /// Makes readBack copy these bytes of a buffer.
  Status recordReadBack(const PoolBuffer &buffer, const gpu::Range &result);

  VulkanDevice &device;
  Commands commands;
  // Unless the host sees the device's memory: where both see a step's input and
  // its result, and the commands that copy the latter.
  std::unique_ptr<PoolBuffer> inputWindow, resultWindow;
  VkCommandBuffer readBack = VK_NULL_HANDLE;
  gpu::Range readBackRange;
};

} // namespace umber::vulkan

#endif // UMBER_RUNTIME_DRIVERS_VULKAN_VULKANSTREAM_H
