// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/Cache.h"

#include <cstring>
#include <gtest/gtest.h>
#include <vector>

using namespace umber;
using namespace umber::cpu;

namespace {

constexpr CacheShape kShape = {3, 2, 20};

Cache makeCache(int32_t positions) {
  Result<Cache> cache = Cache::create(kShape, positions);
  EXPECT_TRUE(cache.ok()) << cache.status().message();
  return std::move(*cache);
}

/// The row of one position of one head, as the ABI lays an array out.
char *row(const Cache &cache, char *array, uint32_t head, int32_t position) {
  return array + (head * cache.capacity() + position) * kShape.rowBytes;
}

/// Calls visit(row, name) for every row of the first `count` positions; no two
/// have the same name.
template <typename Visit>
void forEachRow(const Cache &cache, int32_t count, Visit visit) {
  unsigned char name = 1;
  for (uint32_t layer = 0; layer < kShape.layers; ++layer) {
    for (char *array : {cache.keys(layer), cache.values(layer)}) {
      for (uint32_t head = 0; head < kShape.kvHeads; ++head) {
        for (int32_t position = 0; position < count; ++position) {
          visit(row(cache, array, head, position), name++);
        }
      }
    }
  }
}

TEST(Cache, ArraysAreAlignedAndApart) {
  for (int32_t positions : {1, 63, 64, 65, 1000}) {
    Cache cache = makeCache(positions);
    EXPECT_GE(cache.capacity(), positions);
    uint64_t array = kShape.kvHeads * cache.capacity() * kShape.rowBytes;
    for (uint32_t layer = 0; layer < kShape.layers; ++layer) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(cache.keys(layer)) % 64, 0u);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(cache.values(layer)) % 64, 0u);
      EXPECT_EQ(cache.values(layer), cache.keys(layer) + array);
    }
    std::memset(cache.keys(0), 1, 2 * kShape.layers * array);
  }
}

TEST(Cache, PackedRowsMoveBetweenCapacities) {
  Cache small = makeCache(10), large = makeCache(500);
  forEachRow(small, 10, [](char *row, unsigned char name) {
    std::memset(row, name, kShape.rowBytes);
  });
  std::vector<char> packed(small.packedBytes(10));
  EXPECT_EQ(packed.size(), 2u * 3 * 2 * 10 * 20);
  small.pack(10, packed.data());
  large.unpack(10, packed.data());
  forEachRow(large, 10, [](char *row, unsigned char name) {
    for (uint64_t i = 0; i < kShape.rowBytes; ++i) {
      ASSERT_EQ(static_cast<unsigned char>(row[i]), name);
    }
  });
  // What was not packed is not touched.
  EXPECT_EQ(*row(large, large.keys(0), 0, 10), 0);
}

TEST(Cache, RefusesWhatCannotBeAddressed) {
  Result<Cache> cache = Cache::create({1 << 14, 1 << 14, 1 << 16}, 1 << 30);
  ASSERT_FALSE(cache.ok());
  EXPECT_EQ(cache.status().code(), StatusCode::OutOfMemory);
  EXPECT_NE(cache.status().message().find("key/value cache"),
            std::string::npos);
}

} // namespace
