// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/vulkan/Pool.h"

#include <algorithm>

using namespace umber;
using namespace umber::vulkan;

namespace {

/// Devices allow few allocations, some 4,096 of them: small buffers share one.
constexpr uint64_t kBlockBytes = uint64_t(16) << 20;
/// What any device asks for where a range of a storage or texel buffer begins.
constexpr uint64_t kAlignment = 256;

} // namespace

struct PoolBuffer::Block {
  Owned<VkDeviceMemory> memory;
  Owned<VkBuffer> buffer;
  uint64_t bytes = 0;
  char *mapped = nullptr;
  std::map<uint64_t, uint64_t> free; // where and how much, never adjacent
};

PoolBuffer::~PoolBuffer() { pool.release(block, begin, size()); }

VkBuffer PoolBuffer::handle() const { return block.buffer.get(); }

char *PoolBuffer::mapped() const {
  return block.mapped ? block.mapped + begin : nullptr;
}

Pool::Pool(VkDevice device, const std::string &name, uint32_t type,
           uint64_t heapBytes, bool isMapped)
    : device(device), name(name), type(type), heapBytes(heapBytes),
      isMapped(isMapped) {}

Pool::~Pool() = default;

static uint64_t aligned(uint64_t bytes) {
  return (std::max<uint64_t>(bytes, 1) + kAlignment - 1) / kAlignment *
         kAlignment;
}

Result<PoolBuffer::Block *> Pool::addBlock(uint64_t bytes,
                                           const char *purpose) {
  std::string what = name + ": cannot allocate " + std::to_string(bytes) +
                     " bytes of the device's memory for " + purpose;
  Block block;
  block.bytes = std::max(bytes, kBlockBytes);
  // Some drivers promise more than there is.
  if (block.bytes > heapBytes - used) {
    return Status(StatusCode::OutOfMemory,
                  what + ": it has " + std::to_string(heapBytes) +
                      ", of which " + std::to_string(used) + " are in use");
  }
  // Freed in the other order: a buffer before the memory that it is bound to.
  block.memory = Owned<VkDeviceMemory>(device, vkFreeMemory);
  block.buffer = Owned<VkBuffer>(device, vkDestroyBuffer);
  VkBufferCreateInfo info = {VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO};
  info.size = block.bytes;
  info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT |
               VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT |
               VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
               VK_BUFFER_USAGE_TRANSFER_DST_BIT;
  VkResult result = vkCreateBuffer(device, &info, nullptr, block.buffer.out());
  if (result != VK_SUCCESS) {
    return failure(result, what);
  }
  VkMemoryRequirements needs;
  vkGetBufferMemoryRequirements(device, block.buffer.get(), &needs);
  if (!(needs.memoryTypeBits >> type & 1)) {
    return Status(StatusCode::Unsupported,
                  name + ": the device's memory takes no storage buffers");
  }
  VkMemoryAllocateInfo allocate = {VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO};
  allocate.allocationSize = needs.size;
  allocate.memoryTypeIndex = type;
  result = vkAllocateMemory(device, &allocate, nullptr, block.memory.out());
  if (result == VK_SUCCESS) {
    result =
        vkBindBufferMemory(device, block.buffer.get(), block.memory.get(), 0);
  }
  void *address = nullptr;
  if (result == VK_SUCCESS && isMapped) {
    result =
        vkMapMemory(device, block.memory.get(), 0, VK_WHOLE_SIZE, 0, &address);
  }
  if (result != VK_SUCCESS) {
    return failure(result, what);
  }
  block.mapped = static_cast<char *>(address);
  block.free[0] = block.bytes;
  used += block.bytes;
  blocks.push_back(std::move(block));
  return &blocks.back();
}

Result<std::unique_ptr<PoolBuffer>> Pool::allocate(uint64_t bytes,
                                                   const char *purpose) {
  if (bytes > UINT64_MAX / 2) {
    return Status(StatusCode::OutOfMemory,
                  name + ": " + purpose + " are larger than the address space");
  }
  std::lock_guard<std::mutex> lock(mutex);
  uint64_t wanted = aligned(bytes);
  auto take = [&](Block &block, std::map<uint64_t, uint64_t>::iterator range) {
    auto [begin, length] = *range;
    block.free.erase(range);
    if (length > wanted) {
      block.free[begin + wanted] = length - wanted;
    }
    return std::unique_ptr<PoolBuffer>(
        new PoolBuffer(*this, block, begin, bytes));
  };
  for (Block &block : blocks) {
    for (auto range = block.free.begin(); range != block.free.end(); ++range) {
      if (range->second >= wanted) {
        return take(block, range);
      }
    }
  }
  Result<Block *> added = addBlock(wanted, purpose);
  if (!added.ok()) {
    return added.status();
  }
  return take(**added, (*added)->free.begin());
}

void Pool::release(Block &block, uint64_t begin, uint64_t bytes) {
  std::lock_guard<std::mutex> lock(mutex);
  uint64_t length = aligned(bytes);
  auto after = block.free.lower_bound(begin);
  if (after != block.free.end() && begin + length == after->first) {
    length += after->second;
    after = block.free.erase(after);
  }
  if (after != block.free.begin()) {
    auto before = std::prev(after);
    if (before->first + before->second == begin) {
      begin = before->first;
      length += before->second;
      block.free.erase(before);
    }
  }
  block.free[begin] = length;
  if (length == block.bytes) {
    used -= block.bytes;
    blocks.remove_if([&](const Block &each) { return &each == &block; });
  }
}
