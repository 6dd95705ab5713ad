// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/vulkan/Queue.h"

using namespace umber;
using namespace umber::vulkan;

Queue::Queue(VkDevice device, const std::string &name, VkQueue queue,
             uint32_t family)
    : device(device), name(name), queue(queue), family(family) {
  // As Vulkan 1.2 calls it, or the extension.
  auto function = vkGetDeviceProcAddr(device, "vkWaitSemaphores");
  wait = reinterpret_cast<PFN_vkWaitSemaphores>(
      function ? function : vkGetDeviceProcAddr(device, "vkWaitSemaphoresKHR"));
}

Result<Commands> Commands::create(Queue &queue) {
  Commands commands;
  commands.queue = &queue;
  commands.pool = Owned<VkCommandPool>(queue.device, vkDestroyCommandPool);
  commands.semaphore = Owned<VkSemaphore>(queue.device, vkDestroySemaphore);
  VkCommandPoolCreateInfo pool = {VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
  pool.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
  pool.queueFamilyIndex = queue.family;
  VkResult result =
      vkCreateCommandPool(queue.device, &pool, nullptr, commands.pool.out());
  VkSemaphoreTypeCreateInfo type = {
      VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO};
  type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
  VkSemaphoreCreateInfo semaphore = {VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
  semaphore.pNext = &type;
  if (result == VK_SUCCESS) {
    result = vkCreateSemaphore(queue.device, &semaphore, nullptr,
                               commands.semaphore.out());
  }
  if (result != VK_SUCCESS) {
    return failure(result, queue.name + ": cannot create a command pool");
  }
  return commands;
}

Result<VkCommandBuffer> Commands::allocate() {
  VkCommandBufferAllocateInfo info = {
      VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO};
  info.commandPool = pool.get();
  info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
  info.commandBufferCount = 1;
  VkCommandBuffer buffer = VK_NULL_HANDLE;
  VkResult result = vkAllocateCommandBuffers(queue->device, &info, &buffer);
  if (result != VK_SUCCESS) {
    return failure(result, queue->name + ": cannot make a command buffer");
  }
  return buffer;
}

void Commands::free(VkCommandBuffer buffer) {
  vkFreeCommandBuffers(queue->device, pool.get(), 1, &buffer);
}

Status Commands::begin(VkCommandBuffer buffer) {
  VkCommandBufferBeginInfo info = {VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
  VkResult result = vkBeginCommandBuffer(buffer, &info);
  return result == VK_SUCCESS
             ? Status()
             : failure(result, queue->name + ": cannot record commands");
}

Status Commands::end(VkCommandBuffer buffer) {
  VkResult result = vkEndCommandBuffer(buffer);
  return result == VK_SUCCESS
             ? Status()
             : failure(result, queue->name + ": cannot record commands");
}

Status Commands::run(const std::vector<VkCommandBuffer> &buffers) {
  uint64_t value = submissions + 1;
  VkTimelineSemaphoreSubmitInfo timeline = {
      VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO};
  timeline.signalSemaphoreValueCount = 1;
  timeline.pSignalSemaphoreValues = &value;
  VkSemaphore signal = semaphore.get();
  VkSubmitInfo submit = {VK_STRUCTURE_TYPE_SUBMIT_INFO};
  submit.pNext = &timeline;
  submit.commandBufferCount = uint32_t(buffers.size());
  submit.pCommandBuffers = buffers.data();
  submit.signalSemaphoreCount = 1;
  submit.pSignalSemaphores = &signal;
  VkResult result;
  {
    std::lock_guard<std::mutex> lock(queue->mutex);
    result = vkQueueSubmit(queue->queue, 1, &submit, VK_NULL_HANDLE);
  }
  if (result == VK_SUCCESS) {
    submissions = value;
    VkSemaphoreWaitInfo wait = {VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO};
    wait.semaphoreCount = 1;
    wait.pSemaphores = &signal;
    wait.pValues = &value;
    result = queue->wait(queue->device, &wait, UINT64_MAX);
  }
  return result == VK_SUCCESS
             ? Status()
             : failure(result, queue->name + ": a step failed");
}

void umber::vulkan::addBarrier(VkCommandBuffer commands,
                               VkPipelineStageFlags from,
                               VkPipelineStageFlags to) {
  VkMemoryBarrier barrier = {VK_STRUCTURE_TYPE_MEMORY_BARRIER};
  auto accesses = [](VkPipelineStageFlags stages, bool writes) {
    VkAccessFlags access = 0;
    if (stages & VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT) {
      access |= VK_ACCESS_SHADER_WRITE_BIT;
      access |= writes ? 0 : VK_ACCESS_SHADER_READ_BIT;
    }
    if (stages & VK_PIPELINE_STAGE_TRANSFER_BIT) {
      access |= VK_ACCESS_TRANSFER_WRITE_BIT;
      access |= writes ? 0 : VK_ACCESS_TRANSFER_READ_BIT;
    }
    if ((stages & VK_PIPELINE_STAGE_HOST_BIT) && !writes) {
      access |= VK_ACCESS_HOST_READ_BIT;
    }
    return access;
  };
  barrier.srcAccessMask = accesses(from, true);
  barrier.dstAccessMask = accesses(to, false);
  vkCmdPipelineBarrier(commands, from, to, 0, 1, &barrier, 0, nullptr, 0,
                       nullptr);
}
