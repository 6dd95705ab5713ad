// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory of one type, taken from the device in large blocks.

#ifndef UMBER_RUNTIME_DRIVERS_VULKAN_POOL_H
#define UMBER_RUNTIME_DRIVERS_VULKAN_POOL_H

#include "runtime/drivers/gpu/Device.h"
#include "runtime/drivers/vulkan/Vulkan.h"

#include <list>
#include <map>
#include <mutex>
#include <string>

namespace umber::vulkan {

class Pool;

/// A part of a block.
class PoolBuffer : public gpu::Buffer {
public:
  ~PoolBuffer() override;
  /// The block's buffer, in which this one begins at `offset`.
  VkBuffer handle() const;
  uint64_t offset() const { return begin; }
  /// Where the host has it; null if it does not.
  char *mapped() const;

private:
  friend class Pool;
  struct Block;
  PoolBuffer(Pool &pool, Block &block, uint64_t begin, uint64_t bytes)
      : gpu::Buffer(bytes), pool(pool), block(block), begin(begin) {}

  Pool &pool;
  Block &block;
  uint64_t begin;
};

/// Any thread may allocate and free. It outlives its buffers.
class Pool {
public:
  /// `type` is an index of the device's memory types; with `isMapped`, one that
  /// the host sees and that is coherent. `heapBytes` is the size of what it is
  /// taken from, and `name` the device's.
  Pool(VkDevice device, const std::string &name, uint32_t type,
       uint64_t heapBytes, bool isMapped);
  ~Pool();

  /// OutOfMemory; `purpose` goes into the message.
  Result<std::unique_ptr<PoolBuffer>> allocate(uint64_t bytes,
                                               const char *purpose);
  bool hasMappedMemory() const { return isMapped; }

private:
  friend class PoolBuffer;
  using Block = PoolBuffer::Block;

  Result<Block *> addBlock(uint64_t bytes, const char *purpose);
  void release(Block &block, uint64_t begin, uint64_t bytes);

  VkDevice device;
  std::string name;
  uint32_t type;
  uint64_t heapBytes;
  bool isMapped;
  std::mutex mutex;
  std::list<Block> blocks;
  uint64_t used = 0; // of the heap, by the blocks
};

} // namespace umber::vulkan

#endif // UMBER_RUNTIME_DRIVERS_VULKAN_POOL_H
