// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the driver puts a session's cache and its adapters.

#include "runtime/drivers/cpu/Cache.h"
#include "runtime/drivers/npu/driver/AdapterPlacement.h"
#include "runtime/drivers/npu/driver/Cache.h"

#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace umber;

namespace {

std::vector<char> someBytes(size_t count, uint32_t seed) {
  std::minstd_rand random(seed);
  std::vector<char> bytes(count);
  for (char &byte : bytes) {
    byte = static_cast<char>(random() >> 8);
  }
  return bytes;
}

struct Shape {
  uint32_t layers, heads;
  uint64_t rowBytes, scaleBytes;
};

class CacheLayoutTest : public testing::TestWithParam<Shape> {};

/// What the CPU saved is where programs look for it, and comes back.
TEST_P(CacheLayoutTest, TakesWhatTheCpuSaved) {
  auto [layers, heads, rowBytes, scaleBytes] = GetParam();
  constexpr int32_t kCount = 37;
  auto cpu = cpu::Cache::create({layers, heads, rowBytes, scaleBytes}, 90);
  auto npu = npu::Cache::create({layers, heads, rowBytes, scaleBytes}, 300);
  ASSERT_TRUE(cpu.ok() && npu.ok());
  EXPECT_EQ(npu->capacity(), 512);
  size_t size = cpu->packedBytes(kCount);
  ASSERT_EQ(npu->packedBytes(kCount), size);
  std::vector<char> saved = someBytes(size, 1), again(size);
  cpu->unpack(kCount, saved.data());
  npu->unpack(kCount, saved.data());
  npu->pack(kCount, again.data());
  EXPECT_EQ(again, saved);

  // As targets/NPU/EmitAttention.cpp has it: all are multiples of the capacity.
  const auto *region = reinterpret_cast<const char *>(npu->region().data);
  uint64_t capacity = 512, cpuCapacity = 128;
  uint64_t layerBytes = 2 * heads * (rowBytes + scaleBytes);
  EXPECT_EQ(npu->region().size, capacity * layers * layerBytes);
  for (uint32_t layer = 0; layer < layers; ++layer) {
    for (bool values : {false, true}) {
      const char *from = values ? cpu->values(layer) : cpu->keys(layer);
      for (uint32_t head = 0; head < heads; ++head) {
        uint64_t row =
            layer * layerBytes + ((values ? heads : 0) + head) * rowBytes;
        EXPECT_EQ(std::memcmp(region + capacity * row,
                              from + head * cpuCapacity * rowBytes,
                              kCount * rowBytes),
                  0);
        uint64_t scale =
            layer * layerBytes + 2 * heads * rowBytes + 4 * head + 2 * values;
        EXPECT_EQ(std::memcmp(region + capacity * scale,
                              from + heads * cpuCapacity * rowBytes +
                                  head * cpuCapacity * scaleBytes,
                              kCount * scaleBytes),
                  0);
      }
    }
  }
}

TEST_P(CacheLayoutTest, ForgetsScalesAlone) {
  auto [layers, heads, rowBytes, scaleBytes] = GetParam();
  auto cache = npu::Cache::create({layers, heads, rowBytes, scaleBytes}, 20);
  ASSERT_TRUE(cache.ok());
  std::vector<char> saved = someBytes(cache->packedBytes(20), 2);
  cache->unpack(20, saved.data());
  cache->clearScales(7, 12);
  std::vector<char> found(saved.size());
  cache->pack(20, found.data());
  size_t at = 0;
  for (uint32_t i = 0; i < 2 * layers; ++i) {
    at += 20 * heads * rowBytes;
    for (uint32_t head = 0; head < heads; ++head, at += 20 * scaleBytes) {
      std::memset(saved.data() + at + 7 * scaleBytes, 0, 5 * scaleBytes);
    }
  }
  EXPECT_EQ(found, saved);
}

INSTANTIATE_TEST_SUITE_P(Shapes, CacheLayoutTest,
                         testing::Values(Shape{2, 3, 20, 2}, Shape{1, 1, 64, 2},
                                         Shape{3, 2, 48, 0}));

TEST(NpuCache, IsNotLargerThanTheAddressSpace) {
  auto cache = npu::Cache::create({1u << 20, 1u << 20, 1u << 20, 2}, 1 << 30);
  ASSERT_FALSE(cache.ok());
  EXPECT_EQ(cache.status().code(), StatusCode::OutOfMemory);
}

/// Every element, by the layout that the compiler places matrices with.
TEST(AdapterPlacement, PutsElementsWhereTilesAre) {
  std::minstd_rand random(3);
  for (int i = 0; i < 200; ++i) {
    auto number = [&](int64_t most) { return 1 + int64_t(random() % most); };
    int64_t capacity = number(20), inputs = number(90), outputs = number(70);
    auto matrix = [&](int64_t rows, int64_t columns, uint64_t at) {
      npu::MatrixLayout layout;
      layout.rows = rows;
      layout.columns = columns;
      layout.tileRows = number(rows + 3);
      layout.tileColumns = number(columns + 3);
      layout.elements = at;
      return layout;
    };
    npu::SiteLayout site;
    site.a = matrix(capacity, inputs, 7);
    site.aByColumns =
        matrix(capacity, inputs, site.a.getPartOffset(capacity, 0));
    site.b = matrix(outputs, capacity,
                    site.aByColumns.getPartOffset(capacity, 0) + 11);
    std::vector<char> region(site.b.getPartOffset(outputs, 0));
    int64_t rank = number(capacity),
            first = int64_t(random()) % (capacity - rank + 1);
    std::vector<uint16_t> a(rank * inputs), b(outputs * rank);
    for (auto *values : {&a, &b}) {
      for (uint16_t &value : *values) {
        value = uint16_t(1 + random() % 60000);
      }
    }
    npu::placeAdapter(site, first, rank, a.data(), b.data(), region.data());

    size_t zeros = 0;
    auto at = [&](const npu::MatrixLayout &layout, int64_t row,
                  int64_t column) {
      int64_t tile = row / layout.tileRows * layout.tileRows;
      int64_t part = column / layout.tileColumns;
      uint64_t offset = layout.getPartOffset(tile, part) +
                        (row - tile) * layout.getPartRowBytes(part) +
                        2 * (column - part * layout.tileColumns);
      uint16_t value;
      std::memcpy(&value, region.data() + offset, sizeof value);
      zeros += value == 0;
      return value;
    };
    for (int64_t r = 0; r < capacity; ++r) {
      bool isOurs = r >= first && r < first + rank;
      for (int64_t c = 0; c < inputs; ++c) {
        uint16_t expected = isOurs ? a[(r - first) * inputs + c] : 0;
        ASSERT_EQ(at(site.a, r, c), expected);
        ASSERT_EQ(at(site.aByColumns, r, c), expected);
      }
      for (int64_t o = 0; o < outputs; ++o) {
        ASSERT_EQ(at(site.b, o, r), isOurs ? b[o * rank + r - first] : 0);
      }
    }
    EXPECT_EQ(zeros, size_t((capacity - rank) * (2 * inputs + outputs)));
  }
}

} // namespace
