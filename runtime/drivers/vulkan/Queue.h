// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Commands of one thread at a time: recorded, handed to the device's queue, and
// waited for.

#ifndef UMBER_RUNTIME_DRIVERS_VULKAN_QUEUE_H
#define UMBER_RUNTIME_DRIVERS_VULKAN_QUEUE_H

#include "runtime/drivers/vulkan/Vulkan.h"

#include <mutex>
#include <string>
#include <vector>

namespace umber::vulkan {

/// The queue of a device, which any thread may hand commands to.
class Queue {
public:
  Queue(VkDevice device, const std::string &name, VkQueue queue,
        uint32_t family);

private:
  friend class Commands;

  VkDevice device;
  const std::string name; // of the device
  VkQueue queue;
  uint32_t family;
  PFN_vkWaitSemaphores wait;
  std::mutex mutex;
};

/// Command buffers and the semaphore with which the host waits for them: its
/// value is the number of submissions that have ended.
class Commands {
public:
  /// The queue outlives this.
  static Result<Commands> create(Queue &queue);

  Result<VkCommandBuffer> allocate();
  void free(VkCommandBuffer buffer);
  Status begin(VkCommandBuffer buffer);
  Status end(VkCommandBuffer buffer);
  /// Runs these one after another and waits for the last one's end.
  Status run(const std::vector<VkCommandBuffer> &buffers);

private:
  Queue *queue = nullptr;
  Owned<VkCommandPool> pool;
  Owned<VkSemaphore> semaphore;
  uint64_t submissions = 0;
};

/// Lets commands from here on see what `stages` before it have written, and
/// lets writes of theirs wait for those before.
void addBarrier(VkCommandBuffer commands, VkPipelineStageFlags from,
                VkPipelineStageFlags to);

} // namespace umber::vulkan

#endif // UMBER_RUNTIME_DRIVERS_VULKAN_QUEUE_H
