// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/NPU/ScratchpadPlanner.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

using namespace umber::npu;

namespace {

constexpr uint32_t kGranuleBytes = 16;

/// Lifetimes as a program's: most are short, a few long, and sizes differ by
/// orders of magnitude.
std::vector<BufferInfo> makeBuffers(unsigned seed) {
  std::mt19937 random(seed);
  auto pick = [&](uint32_t least, uint32_t most) {
    return std::uniform_int_distribution<uint32_t>(least, most)(random);
  };
  std::vector<BufferInfo> buffers(pick(1, 60));
  for (BufferInfo &buffer : buffers) {
    buffer.bytes = kGranuleBytes * pick(1, 1 << pick(1, 10));
    buffer.first = pick(0, 100);
    buffer.last = buffer.first + pick(0, pick(0, 4) == 0 ? 100 : 15);
  }
  return buffers;
}

/// By every instruction on its own.
uint32_t countLive(const std::vector<BufferInfo> &buffers) {
  uint32_t most = 0;
  for (uint32_t at = 0; at <= 200; ++at) {
    uint32_t live = 0;
    for (const BufferInfo &buffer : buffers) {
      live += buffer.first <= at && at <= buffer.last ? buffer.bytes : 0;
    }
    most = std::max(most, live);
  }
  return most;
}

} // namespace

TEST(ScratchpadPlanner, PlacesRandomBuffersNearTheirBound) {
  double sum = 0;
  constexpr unsigned kCases = 2000;
  for (unsigned seed = 0; seed < kCases; ++seed) {
    std::vector<BufferInfo> buffers = makeBuffers(seed);
    uint32_t needed = placeBuffers(buffers, kGranuleBytes);
    uint32_t live = countLive(buffers);
    ASSERT_EQ(getLiveBytes(buffers), live) << "seed " << seed;
    uint32_t end = 0;
    for (size_t a = 0; a < buffers.size(); ++a) {
      const BufferInfo &x = buffers[a];
      ASSERT_EQ(x.offset % kGranuleBytes, 0u) << "seed " << seed;
      end = std::max(end, x.offset + x.bytes);
      for (size_t b = 0; b < a; ++b) {
        const BufferInfo &y = buffers[b];
        bool isTogether = x.first <= y.last && y.first <= x.last;
        bool isOver =
            x.offset < y.offset + y.bytes && y.offset < x.offset + x.bytes;
        ASSERT_FALSE(isTogether && isOver) << "seed " << seed;
      }
    }
    ASSERT_EQ(end, needed) << "seed " << seed;
    auto [a, b] = findOverlap(buffers);
    ASSERT_EQ(a, b) << "seed " << seed;
    double over = double(needed) / double(live);
    ASSERT_LE(over, 1.1) << "seed " << seed;
    sum += over;
  }
  EXPECT_LE(sum / kCases, 1.01);
}

TEST(ScratchpadPlanner, FindsWhatOverlaps) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::vector<BufferInfo> buffers = makeBuffers(seed);
    placeBuffers(buffers, kGranuleBytes);
    // A place that another, used at the same time, has.
    for (size_t b = 1; b < buffers.size(); ++b) {
      const BufferInfo &other = buffers[b - 1];
      if (buffers[b].first <= other.last && other.first <= buffers[b].last) {
        buffers[b].offset = other.offset;
        auto [x, y] = findOverlap(buffers);
        ASSERT_NE(x, y) << "seed " << seed;
        break;
      }
    }
  }
}

TEST(ScratchpadPlanner, LeavesOutWhatIsNotUsed) {
  std::vector<BufferInfo> buffers(2);
  buffers[0].bytes = 64;
  buffers[1].bytes = 32;
  buffers[1].first = 3;
  buffers[1].last = 4;
  EXPECT_EQ(placeBuffers(buffers, kGranuleBytes), 32u);
  EXPECT_EQ(getLiveBytes(buffers), 32u);
}
