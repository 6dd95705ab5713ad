// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/WeightFormat.h"
#include "test/Unit/NPU/Fixture.h"

using namespace umber;
using namespace umber::npu;

namespace {

int64_t getBytes(const std::string &text, int64_t weights) {
  Result<WeightFormat> format = parseWeightFormat(text);
  EXPECT_TRUE(format.ok()) << format.status().message();
  return format.ok() ? format->bytes(weights, getConfig("ane-m6-like").decoder)
                     : 0;
}

TEST(WeightFormats, TakePaddedBits) {
  EXPECT_EQ(getBytes("f16", 1024), 2048);
  EXPECT_EQ(getBytes("i8", 1024), 1024);
  EXPECT_EQ(getBytes("p8", 1024), 1024);
  EXPECT_EQ(getBytes("p6", 1024), 1024);
  EXPECT_EQ(getBytes("p4", 1024), 512);
  EXPECT_EQ(getBytes("p3", 1024), 512);
  EXPECT_EQ(getBytes("p2", 1024), 256);
  EXPECT_EQ(getBytes("p1", 1024), 128);
  // Vectors: 64 entries have indices of 6 bits, which take 8.
  EXPECT_EQ(getBytes("p2x64", 1024), 512);
  EXPECT_EQ(getBytes("p4x64", 1024), 256);
  EXPECT_EQ(getBytes("p2x16", 1024), 256);
  EXPECT_EQ(getBytes("p4x16", 1024), 128);
  EXPECT_EQ(getBytes("p8x16", 1024), 64);
  EXPECT_EQ(getBytes("p4x16", 5), 1);
}

TEST(WeightFormats, AreRefusedWhereUnknown) {
  for (const char *text : {"", "f32", "p", "p0", "p5", "p7", "p9", "p-1", "p4 ",
                           "p2x", "p2x3", "p2x512", "px16", "p0x16", "p257x2",
                           "p2x1", "p99999999999999999999", "4"}) {
    EXPECT_FALSE(parseWeightFormat(text).ok()) << text;
  }
}

TEST(WeightFormats, AreRefusedWhereTheEngineHasNone) {
  auto check = [](const char *device, const char *text) {
    return checkFormat(*parseWeightFormat(text), getConfig(device)).message();
  };
  EXPECT_EQ(check("ane-a17-like", "p16x16"), "");
  EXPECT_EQ(check("ane-a17-like", "p32x2"),
            "ane-a17-like has palettes of vectors of at most 16 weights "
            "(decoder.max_vector_length), not of 32");
  EXPECT_EQ(check("ane-a17-like", "p16x32"),
            "ane-a17-like has palettes of at most 256 values "
            "(decoder.max_table_values), not of 512");
  EXPECT_EQ(check("edge-npu", "p4"),
            "edge-npu decodes no palettes (decoder.weights_per_s is 0)");
  EXPECT_EQ(check("edge-npu", "f16"),
            "edge-npu multiplies no f16 (array.rows_f16 is 0)");
  EXPECT_EQ(check("gemmini-8x8", "p4"), "gemmini-8x8 takes weights of i8 only");
}

} // namespace
