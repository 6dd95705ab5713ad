// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/QuantizeRows.h"
#include "passes/Compression/Palette/Tables.h"
#include "test/Unit/Palette/RandomMatrices.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>

using namespace umber;
using namespace umber::palette;

static EncodedMatrix quantize(const std::vector<float> &weights, int64_t rows) {
  int64_t columns = int64_t(weights.size()) / rows;
  auto result = quantizeRows(weights, rows, columns);
  EXPECT_EQ(errorOf(result), "");
  return std::move(*result);
}

TEST(QuantizeRows, RoundsToTheNearestMultipleOfTheScale) {
  Random random(60);
  int64_t rows = 33, columns = 29;
  std::vector<float> weights = random.get(rows * columns);
  for (int64_t c = 0; c < columns; ++c) {
    weights[5 * columns + c] *= 1e-4f; // a row of small ones
    weights[6 * columns + c] *= 1e4f;
  }
  EncodedMatrix result = quantize(weights, rows);
  for (int64_t r = 0; r < rows; ++r) {
    float top = 0;
    double scale = fromHalf(result.scales[r]);
    for (int64_t c = 0; c < columns; ++c) {
      double weight = weights[r * columns + c];
      double decoded = int8_t(result.codes[r * columns + c]) * scale;
      EXPECT_LE(std::abs(decoded - weight), 0.5001 * scale);
      top = std::max(top, std::abs(float(weight)));
    }
    // All of the range is used, but for what f16 cannot tell apart.
    EXPECT_NEAR(scale, top / 127, 0.005 * top / 127 + 0x1p-24);
  }
}

TEST(QuantizeRows, TakesConstantAndZeroRows) {
  EncodedMatrix result = quantize({0, 0, 0, 0.5f, 0.5f, 0.5f, -3, -3, -3}, 3);
  EXPECT_EQ(result.scales[0], 0);
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(int8_t(result.codes[i]), 0);
    EXPECT_NEAR(int8_t(result.codes[3 + i]), 127, 1);
    EXPECT_NEAR(int8_t(result.codes[6 + i]), -127, 1);
  }
}

TEST(QuantizeRows, KeepsWhatIsTooSmallOrTooLargeForF16) {
  float tiny = 1e-12f, huge = 3e38f;
  EncodedMatrix result = quantize({tiny, -tiny, huge, -huge}, 2);
  EXPECT_GT(fromHalf(result.scales[0]), 0);
  EXPECT_TRUE(std::isfinite(fromHalf(result.scales[1])));
  EXPECT_EQ(int8_t(result.codes[2]), 127);
  EXPECT_EQ(int8_t(result.codes[3]), -127);
}

TEST(QuantizeRows, NamesAWeightThatIsNotFinite) {
  std::vector<float> weights(6 * 4, 1.0f);
  weights[2 * 4 + 1] = std::numeric_limits<float>::infinity();
  expectError(quantizeRows(weights, 6, 4), "weight at row 2, column 1 is inf");
}
