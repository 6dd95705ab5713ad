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
  std::optional<uint64_t> bytes =
      multiplySizes({2, shape.layers, shape.kvHeads, cache.positions,
                     shape.rowBytes + shape.scaleBytes});
  if (!bytes) {
    return Status(StatusCode::OutOfMemory,
                  "a key/value cache of " + std::to_string(positions) +
                      " positions is larger than the address space");
  }
  Result<HostMemory> memory =
      HostMemory::allocate(*bytes, "the key/value cache");
  if (!memory.ok()) {
    return memory.status();
  }
  cache.memory = std::move(*memory);
  return cache;
}

uint64_t Cache::packedBytes(int32_t count) const {
  return uint64_t(2) * shape.layers * shape.kvHeads * uint64_t(count) *
         (shape.rowBytes + shape.scaleBytes);
}

template <typename Move>
void Cache::forEachRun(int32_t count, Move move) const {
  uint64_t packed = 0;
  for (uint64_t index = 0; index < uint64_t(2) * shape.layers; ++index) {
    char *at = array(index);
    for (uint64_t bytes : {shape.rowBytes, shape.scaleBytes}) {
      for (uint32_t head = 0; head < shape.kvHeads; ++head) {
        move(uint64_t(count) * bytes, at, packed);
        at += positions * bytes;
        packed += uint64_t(count) * bytes;
      }
    }
  }
}

void Cache::pack(int32_t count, char *out) const {
  forEachRun(count, [&](uint64_t bytes, const char *cached, uint64_t packed) {
    std::memcpy(out + packed, cached, bytes);
  });
}

void Cache::unpack(int32_t count, const char *in) {
  forEachRun(count, [&](uint64_t bytes, char *cached, uint64_t packed) {
    std::memcpy(cached, in + packed, bytes);
  });
}
