// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/Palettize.h"
#include "test/Unit/Palette/RandomMatrices.h"
#include "llvm/Support/Parallel.h"
#include "gtest/gtest.h"
#include <limits>

using namespace umber;
using namespace umber::palette;

static std::vector<float> decode(const EncodedLayout &layout,
                                 const EncodedMatrix &matrix) {
  std::vector<float> decoded(layout.rows * layout.columns);
  decodeRows(layout, matrix, 0, decoded);
  return decoded;
}

TEST(Palettize, ErrsLessWithEveryBit) {
  Random random(31);
  int64_t rows = 64, columns = 80;
  auto moment =
      SecondMoment::get(getCorrelatedMoment(columns, random), columns);
  ASSERT_EQ(errorOf(moment), "");
  ProductMoments moments{std::move(*moment), {}};
  std::vector<float> weights = random.get(rows * columns);
  double last = getOutputChange(weights, moments);
  for (int64_t bits : {1, 2, 3, 4, 6, 8}) {
    auto result = palettize(weights, moments, bits);
    ASSERT_EQ(errorOf(result), "");
    double error = getOutputError(weights, getLayout(rows, columns, bits, 16),
                                  *result, moments);
    EXPECT_LT(error, last);
    last = error;
  }
}

TEST(Palettize, GivesTheSameBytesOnAnyNumberOfThreads) {
  Random random(32);
  int64_t rows = 500, columns = 72;
  auto moment =
      SecondMoment::get(getCorrelatedMoment(columns, random), columns);
  ASSERT_EQ(errorOf(moment), "");
  ProductMoments moments{std::move(*moment), {}};
  for (int64_t height : {160, 160, 180}) {
    auto outputs = SecondMoment::get(getCorrelatedMoment(height, random),
                                     height, SecondMoment::Order::Given);
    ASSERT_EQ(errorOf(outputs), "");
    moments.outputs.push_back(std::move(*outputs));
  }
  std::vector<float> weights = random.get(rows * columns);
  auto compress = [&](unsigned threads) {
    llvm::parallel::strategy = llvm::hardware_concurrency(threads);
    auto result = palettize(weights, moments, 2);
    EXPECT_EQ(errorOf(result), "");
    return std::move(*result);
  };
  // The pool of threads lives as long as the process; one thread runs in line.
  EncodedMatrix one = compress(1), more = compress(3);
  EXPECT_EQ(one.codes, more.codes);
  EXPECT_EQ(one.tables, more.tables);
  EXPECT_EQ(one.scales, more.scales);
}

TEST(Palettize, TakesConstantAndZeroRows) {
  int64_t rows = 20, columns = 10;
  for (float value : {0.0f, 0.75f, -3.0f}) {
    std::vector<float> weights(rows * columns, value);
    for (int64_t bits : {1, 4}) {
      auto result =
          palettize(weights, {SecondMoment::getIdentity(columns), {}}, bits);
      ASSERT_EQ(errorOf(result), "");
      EXPECT_EQ(decode(getLayout(rows, columns, bits, 16), *result), weights);
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
      palettize(weights, {SecondMoment::getIdentity(18), {}}, /*bits=*/2);
  ASSERT_EQ(errorOf(result), "");
  EXPECT_EQ(decode(getLayout(32, 18, 2, 16), *result), weights);
}

TEST(Palettize, NamesAWeightThatIsNotFinite) {
  std::vector<float> weights(6 * 4, 1.0f);
  weights[4 * 4 + 3] = std::numeric_limits<float>::quiet_NaN();
  expectError(palettize(weights, {SecondMoment::getIdentity(4), {}}, 2),
              "weight at row 4, column 3 is nan");
}
