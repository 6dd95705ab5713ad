// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/driver/Cache.h"

#include "runtime/drivers/npu/EngineModel.h"

#include <cstring>

using namespace umber;
using namespace umber::npu;

Result<Cache> Cache::create(const CacheShape &shape, int32_t positions) {
  Cache cache;
  cache.shape = shape;
  cache.positions = static_cast<uint64_t>(getCapacity(positions));
  std::optional<uint64_t> bytes =
      multiplySizes({cache.positions, shape.layers, cache.layerBytes()});
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

char *Cache::row(uint32_t layer, uint32_t values, uint32_t head) const {
  uint64_t before = layer * layerBytes() +
                    (uint64_t(values) * shape.kvHeads + head) * shape.rowBytes;
  return memory.data() + before * positions;
}

char *Cache::scale(uint32_t layer, uint32_t values, uint32_t head) const {
  uint64_t before = layer * layerBytes() +
                    uint64_t(2) * shape.kvHeads * shape.rowBytes +
                    (uint64_t(2) * head + values) * shape.scaleBytes;
  return memory.data() + before * positions;
}

uint64_t Cache::packedBytes(int32_t count) const {
  return shape.layers * layerBytes() * uint64_t(count);
}

template <typename Move>
void Cache::forEachRun(int32_t count, Move move) const {
  uint64_t packed = 0;
  auto step = [&](uint64_t bytes, char *cached) {
    move(bytes * uint64_t(count), cached, packed);
    packed += bytes * uint64_t(count);
  };
  for (uint32_t layer = 0; layer < shape.layers; ++layer) {
    for (uint32_t values : {0, 1}) {
      for (uint32_t head = 0; head < shape.kvHeads; ++head) {
        step(shape.rowBytes, row(layer, values, head));
      }
      for (uint32_t head = 0; head < shape.kvHeads && shape.scaleBytes != 0;
           ++head) {
        step(shape.scaleBytes, scale(layer, values, head));
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

void Cache::clearScales(int32_t begin, int32_t end) {
  uint64_t bytes = shape.scaleBytes;
  for (uint32_t layer = 0; layer < shape.layers && bytes != 0; ++layer) {
    for (uint32_t values : {0, 1}) {
      for (uint32_t head = 0; head < shape.kvHeads; ++head) {
        std::memset(scale(layer, values, head) + uint64_t(begin) * bytes, 0,
                    uint64_t(end - begin) * bytes);
      }
    }
  }
}
