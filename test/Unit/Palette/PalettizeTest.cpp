// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/Palettize.h"
#include "test/Unit/Palette/RandomMatrices.h"
#include "llvm/Support/Parallel.h"
#include "gtest/gtest.h"
#include <limits>

using namespace umber;
using namespace umber::palette;

static EncodedLayout getLayout(int64_t rows, int64_t columns, int64_t bits,
                               int64_t rowsPerTable) {
  EncodedLayout layout;
  layout.rows = rows;
  layout.columns = columns;
  layout.tableRows = layout.scaleRows = rowsPerTable;
  layout.tableColumns = layout.scaleColumns = columns;
  layout.entries = int64_t(1) << bits;
  layout.tables = layout.scales = (rows + rowsPerTable - 1) / rowsPerTable;
  return layout;
}

static std::vector<float> decode(const EncodedLayout &layout,
                                 const EncodedMatrix &matrix) {
  std::vector<float> decoded(layout.rows * layout.columns);
  decodeRows(layout, matrix, 0, decoded);
  return decoded;
}

TEST(Palettize, ReportsTheErrorOfWhatItStores) {
  Random random(30);
  int64_t rows = 150, columns = 61;
  std::vector<double> h = getCorrelatedMoment(columns, random);
  auto moment = SecondMoment::get(h, columns);
  ASSERT_EQ(errorOf(moment), "");
  std::vector<float> weights = random.get(rows * columns), rowWeights(rows);
  for (int64_t r = 0; r < rows; ++r) {
    rowWeights[r] = 0.5f + r % 7;
  }
  PalettizeOptions options;
  options.rowWeights = rowWeights;
  auto result = palettize(weights, rows, columns, *moment, 3, 16, options);
  ASSERT_EQ(errorOf(result), "");

  EncodedLayout layout = getLayout(rows, columns, 3, 16);
  std::vector<float> decoded = decode(layout, result->matrix);
  double error = 0, signal = 0;
  for (int64_t r = 0; r < rows; ++r) {
    const float *w = &weights[r * columns], *d = &decoded[r * columns];
    for (int64_t i = 0; i < columns; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        double m = rowWeights[r] * h[i * columns + j];
        error += m * (d[i] - w[i]) * (d[j] - w[j]);
        signal += m * w[i] * w[j];
      }
    }
  }
  EXPECT_NEAR(result->error.error, error, 2e-3 * error);
  EXPECT_NEAR(result->error.signal, signal, 2e-3 * signal);
  OutputError again =
      getOutputError(weights, layout, result->matrix, *moment, rowWeights);
  EXPECT_NEAR(again.error, error, 2e-3 * error);
}

TEST(Palettize, ErrsLessWithEveryBit) {
  Random random(31);
  int64_t rows = 64, columns = 80;
  auto moment =
      SecondMoment::get(getCorrelatedMoment(columns, random), columns);
  ASSERT_EQ(errorOf(moment), "");
  std::vector<float> weights = random.get(rows * columns);
  double last = 1;
  for (int64_t bits : {1, 2, 3, 4, 6, 8}) {
    auto result = palettize(weights, rows, columns, *moment, bits);
    ASSERT_EQ(errorOf(result), "");
    EXPECT_LT(result->error.getRelative(), last);
    last = result->error.getRelative();
  }
}

TEST(Palettize, GivesTheSameBytesOnAnyNumberOfThreads) {
  Random random(32);
  int64_t rows = 500, columns = 72;
  auto moment =
      SecondMoment::get(getCorrelatedMoment(columns, random), columns);
  ASSERT_EQ(errorOf(moment), "");
  std::vector<float> weights = random.get(rows * columns);
  auto compress = [&](unsigned threads) {
    llvm::parallel::strategy = llvm::hardware_concurrency(threads);
    auto result = palettize(weights, rows, columns, *moment, 2);
    EXPECT_EQ(errorOf(result), "");
    return std::move(*result);
  };
  // The pool of threads lives as long as the process; one thread runs in line.
  Compressed one = compress(1), more = compress(3);
  EXPECT_EQ(one.matrix.codes, more.matrix.codes);
  EXPECT_EQ(one.matrix.tables, more.matrix.tables);
  EXPECT_EQ(one.matrix.scales, more.matrix.scales);
  EXPECT_EQ(one.error.error, more.error.error);
}

TEST(Palettize, TakesConstantAndZeroRows) {
  int64_t rows = 20, columns = 10;
  for (float value : {0.0f, 0.75f, -3.0f}) {
    std::vector<float> weights(rows * columns, value);
    for (int64_t bits : {1, 4}) {
      auto result = palettize(weights, rows, columns,
                              SecondMoment::getIdentity(columns), bits);
      ASSERT_EQ(errorOf(result), "");
      EXPECT_EQ(decode(getLayout(rows, columns, bits, 16), result->matrix),
                weights);
      EXPECT_EQ(result->error.error, 0);
    }
  }
}

TEST(Palettize, KeepsRowsOfFewValues) {
  // As the elements of a rotation are: two integers, both signs, one scale.
  Random random(33);
  std::vector<float> weights;
  for (float value : random.get(32 * 18)) {
    weights.push_back((value > 0.7f ? 7 : 2) * (value > 0 ? 0.125f : -0.125f));
  }
  auto result =
      palettize(weights, 32, 18, SecondMoment::getIdentity(18), /*bits=*/2);
  ASSERT_EQ(errorOf(result), "");
  EXPECT_EQ(decode(getLayout(32, 18, 2, 16), result->matrix), weights);
}

TEST(Palettize, NamesAWeightThatIsNotFinite) {
  std::vector<float> weights(6 * 4, 1.0f);
  weights[4 * 4 + 3] = std::numeric_limits<float>::quiet_NaN();
  expectError(palettize(weights, 6, 4, SecondMoment::getIdentity(4), 2),
              "weight at row 4, column 3 is nan");
}
