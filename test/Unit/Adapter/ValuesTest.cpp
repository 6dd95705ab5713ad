// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/adapter/Values.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

using namespace umber;

namespace {

float floatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

uint16_t halfBits(float value) {
  _Float16 half = _Float16(value);
  uint16_t bits;
  std::memcpy(&bits, &half, sizeof bits);
  return bits;
}

/// The compiler's conversion is the reference, for every half and what lies
/// between two of them, and for anything.
TEST(Values, RoundsToF16AsTheCompilerDoes) {
  std::mt19937 random(1);
  auto expectSame = [](float value) {
    if (!std::isnan(value)) {
      ASSERT_EQ(roundToF16(value), halfBits(value)) << value;
    }
  };
  for (uint32_t bits = 0; bits < 0x7c00; ++bits) {
    _Float16 half, next;
    uint16_t low = uint16_t(bits), high = uint16_t(bits + 1);
    std::memcpy(&half, &low, sizeof half);
    std::memcpy(&next, &high, sizeof next);
    float middle =
        bits == 0x7bff ? 65520.0f : (float(half) + float(next)) / 2.0f;
    for (float value : {float(half), middle, std::nextafter(middle, 0.0f),
                        std::nextafter(middle, 1e9f)}) {
      expectSame(value);
      expectSame(-value);
    }
  }
  for (int i = 0; i < 1000000; ++i) {
    expectSame(floatOf(uint32_t(random())));
  }
}

TEST(Values, RoundsTiesToEvenInBF16) {
  EXPECT_EQ(roundToBF16(floatOf(0x3f800000)), 0x3f80);
  EXPECT_EQ(roundToBF16(floatOf(0x3f807fff)), 0x3f80);
  EXPECT_EQ(roundToBF16(floatOf(0x3f808000)), 0x3f80);
  EXPECT_EQ(roundToBF16(floatOf(0x3f808001)), 0x3f81);
  EXPECT_EQ(roundToBF16(floatOf(0x3f818000)), 0x3f82);
  EXPECT_EQ(roundToBF16(floatOf(0xbf818000)), 0xbf82);
  EXPECT_EQ(roundToBF16(floatOf(0x00000001)), 0x0000);
  // The largest that stays finite, and the smallest that does not.
  EXPECT_EQ(roundToBF16(floatOf(0x7f7f7fff)), 0x7f7f);
  EXPECT_EQ(roundToBF16(floatOf(0x7f7f8000)), 0x7f80);
}

TEST(Values, KeepsWhatIsNotFinite) {
  float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(roundToF16(infinity), 0x7c00);
  EXPECT_EQ(roundToF16(-infinity), 0xfc00);
  EXPECT_EQ(roundToBF16(-infinity), 0xff80);
  for (uint32_t nan : {0x7f800001u, 0x7fffffffu, 0xff800001u, 0x7fc00000u}) {
    EXPECT_GT(roundToF16(floatOf(nan)) & 0x7fff, 0x7c00);
    EXPECT_GT(roundToBF16(floatOf(nan)) & 0x7fff, 0x7f80);
  }
  EXPECT_FALSE(isFiniteF16(0xfc00));
  EXPECT_TRUE(isFiniteF16(0x7bff));
  EXPECT_FALSE(isFiniteBF16(0x7fc0));
  EXPECT_TRUE(isFiniteBF16(0xff7f));
}

TEST(Values, FindsTheFirstThatIsNotFinite) {
  // One byte in, where no number is aligned.
  uint8_t bytes[1 + 4 * sizeof(uint32_t)] = {};
  auto put = [&](size_t offset, auto value) {
    std::memcpy(bytes + 1 + offset, &value, sizeof value);
  };
  Bytes values = {bytes + 1, 16};
  EXPECT_FALSE(findNotFinite(fbs::DType_F32, values));
  put(8, uint32_t(0xff800000));
  EXPECT_EQ(findNotFinite(fbs::DType_F32, values), 2u);
  put(4, uint32_t(0x7f7fffff));
  EXPECT_EQ(findNotFinite(fbs::DType_F32, values), 2u);
  put(4, uint32_t(0x7f800001));
  EXPECT_EQ(findNotFinite(fbs::DType_F32, values), 1u);
  put(6, uint16_t(0x7c01));
  put(4, uint16_t(0));
  put(8, uint32_t(0));
  EXPECT_EQ(findNotFinite(fbs::DType_F16, values), 3u);
  EXPECT_FALSE(findNotFinite(fbs::DType_BF16, values));
  put(14, uint16_t(0xff80));
  EXPECT_EQ(findNotFinite(fbs::DType_BF16, values), 7u);
}

} // namespace
