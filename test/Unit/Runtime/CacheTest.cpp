// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/Cache.h"

#include <cstring>
#include <gtest/gtest.h>
#include <vector>

using namespace umber;
using namespace umber::cpu;

namespace {

/// Rows without scales, and with.
constexpr CacheShape kShapes[] = {{3, 2, 20, 0}, {3, 2, 21, 2}};

Cache makeCache(const CacheShape &shape, int32_t positions) {
  Result<Cache> cache = Cache::create(shape, positions);
  EXPECT_TRUE(cache.ok()) << cache.status().message();
  return std::move(*cache);
}

/// Calls visit(bytes, size, name) for the row and, if it has any, the scale of
/// every head in each of the first `count` positions, as the ABI lays an array
/// out; no two have the same name.
template <typename Visit>
void forEachRow(const Cache &cache, const CacheShape &shape, int32_t count,
                Visit visit) {
  unsigned char name = 1;
  for (uint32_t layer = 0; layer < shape.layers; ++layer) {
    for (char *array : {cache.keys(layer), cache.values(layer)}) {
      char *scales = array + shape.kvHeads * cache.capacity() * shape.rowBytes;
      for (uint32_t head = 0; head < shape.kvHeads; ++head) {
        for (int32_t position = 0; position < count; ++position) {
          int64_t row = head * cache.capacity() + position;
          visit(array + row * shape.rowBytes, shape.rowBytes, name++);
          if (shape.scaleBytes > 0) {
            visit(scales + row * shape.scaleBytes, shape.scaleBytes, name++);
          }
        }
      }
    }
  }
}

TEST(Cache, ArraysAreAlignedAndApart) {
  for (const CacheShape &shape : kShapes) {
    for (int32_t positions : {1, 63, 64, 65, 1000}) {
      Cache cache = makeCache(shape, positions);
      EXPECT_GE(cache.capacity(), positions);
      uint64_t array = shape.kvHeads * cache.capacity() *
                       (shape.rowBytes + shape.scaleBytes);
      for (uint32_t layer = 0; layer < shape.layers; ++layer) {
        EXPECT_EQ(reinterpret_cast<uintptr_t>(cache.keys(layer)) % 64, 0u);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(cache.values(layer)) % 64, 0u);
        EXPECT_EQ(cache.values(layer), cache.keys(layer) + array);
      }
      std::memset(cache.keys(0), 1, 2 * shape.layers * array);
    }
  }
}

TEST(Cache, PackedRowsMoveBetweenCapacities) {
  for (const CacheShape &shape : kShapes) {
    Cache small = makeCache(shape, 10), large = makeCache(shape, 500);
    forEachRow(small, shape, 10,
               [](char *bytes, uint64_t size, unsigned char name) {
                 std::memset(bytes, name, size);
               });
    std::vector<char> packed(small.packedBytes(10));
    EXPECT_EQ(packed.size(),
              2u * 3 * 2 * 10 * (shape.rowBytes + shape.scaleBytes));
    small.pack(10, packed.data());
    large.unpack(10, packed.data());
    forEachRow(large, shape, 10,
               [](char *bytes, uint64_t size, unsigned char name) {
                 for (uint64_t i = 0; i < size; ++i) {
                   ASSERT_EQ(static_cast<unsigned char>(bytes[i]), name);
                 }
               });
    // What was not packed is not touched.
    EXPECT_EQ(large.keys(0)[10 * shape.rowBytes], 0);
  }
}

TEST(Cache, RefusesWhatCannotBeAddressed) {
  Result<Cache> cache = Cache::create({1 << 14, 1 << 14, 1 << 16, 2}, 1 << 30);
  ASSERT_FALSE(cache.ok());
  EXPECT_EQ(cache.status().code(), StatusCode::OutOfMemory);
  EXPECT_NE(cache.status().message().find("key/value cache"),
            std::string::npos);
}

} // namespace
