// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/Cache.h"

#include <cstring>

using namespace umber;
using namespace umber::cpu;

Result<Cache> Cache::create(const CacheShape &shape, int32_t positions) {
  Cache cache;
  cache.shape = shape;
  cache.positions = (uint64_t(positions) + 63) / 64 * 64;
  uint64_t bytes = 2;
  for (uint64_t factor : {uint64_t(shape.layers), uint64_t(shape.kvHeads),
                          cache.positions, shape.rowBytes}) {
    if (__builtin_mul_overflow(bytes, factor, &bytes)) {
      return Status(StatusCode::OutOfMemory,
                    "a key/value cache of " + std::to_string(positions) +
                        " positions is larger than the address space");
    }
  }
  Result<HostMemory> memory =
      HostMemory::allocate(bytes, "the key/value cache");
  if (!memory.ok()) {
    return memory.status();
  }
  cache.memory = std::move(*memory);
  return cache;
}

uint64_t Cache::packedBytes(int32_t count) const {
  return uint64_t(2) * shape.layers * shape.kvHeads * uint64_t(count) *
         shape.rowBytes;
}

// All heads of all layers stand one after another, so a head is all that pack
// and unpack need to know of.

void Cache::pack(int32_t count, char *out) const {
  uint64_t run = uint64_t(count) * shape.rowBytes;
  uint64_t stride = positions * shape.rowBytes;
  for (uint64_t head = 0; head < uint64_t(2) * shape.layers * shape.kvHeads;
       ++head) {
    std::memcpy(out + head * run, memory.data() + head * stride, run);
  }
}

void Cache::unpack(int32_t count, const char *in) {
  uint64_t run = uint64_t(count) * shape.rowBytes;
  uint64_t stride = positions * shape.rowBytes;
  for (uint64_t head = 0; head < uint64_t(2) * shape.layers * shape.kvHeads;
       ++head) {
    std::memcpy(memory.data() + head * stride, in + head * run, run);
  }
}
