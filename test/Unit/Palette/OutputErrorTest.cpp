// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/OutputError.h"
#include "passes/Compression/Palette/Palettize.h"
#include "test/Unit/Palette/RandomMatrices.h"
#include "gtest/gtest.h"

using namespace umber;
using namespace umber::palette;

TEST(OutputError, IsWhatItIsDefinedAs) {
  Random random(30);
  int64_t rows = 150, columns = 61;
  std::vector<float> x = random.get(rows * columns);
  std::vector<double> h = getCorrelatedMoment(columns, random);
  auto inputs = SecondMoment::get(h, columns);
  ASSERT_EQ(errorOf(inputs), "");
  ProductMoments moments{std::move(*inputs), {}};

  std::vector<double> byInputs(rows * columns);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < columns; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        byInputs[r * columns + j] += x[r * columns + i] * h[i * columns + j];
      }
    }
  }
  auto multiply = [&](int64_t r, int64_t s) {
    double sum = 0;
    for (int64_t i = 0; i < columns; ++i) {
      sum += x[r * columns + i] * byInputs[s * columns + i];
    }
    return sum;
  };
  double uncoupled = 0, coupled = 0;
  for (int64_t r = 0; r < rows; ++r) {
    uncoupled += multiply(r, r);
  }
  EXPECT_NEAR(getOutputChange(x, moments), uncoupled, 2e-3 * uncoupled);

  int64_t first = 0;
  for (int64_t height : {130, 20}) {
    std::vector<double> g = getCorrelatedMoment(height, random);
    auto outputs = SecondMoment::get(g, height, SecondMoment::Order::Given);
    ASSERT_EQ(errorOf(outputs), "");
    moments.outputs.push_back(std::move(*outputs));
    for (int64_t r = 0; r < height; ++r) {
      for (int64_t s = 0; s < height; ++s) {
        coupled += g[r * height + s] * multiply(first + r, first + s);
      }
    }
    first += height;
  }
  EXPECT_NEAR(getOutputChange(x, moments), coupled, 2e-3 * coupled);
}

TEST(OutputError, ExpectedIsExactWhereNothingIsMadeUpFor) {
  Random random(31);
  int64_t rows = 20, columns = 33;
  std::vector<float> x = random.get(rows * columns);
  auto getDiagonal = [&](int64_t size) {
    std::vector<double> h(size * size);
    for (int64_t i = 0; i < size; ++i) {
      h[i * size + i] = 0.1 + double(i * 7 % 5);
    }
    auto moment = SecondMoment::get(h, size, SecondMoment::Order::Descending,
                                    /*damping=*/1e-9);
    EXPECT_EQ(errorOf(moment), "");
    return std::move(*moment);
  };
  ProductMoments moments{getDiagonal(columns), {}};
  double change = getOutputChange(x, moments);
  EXPECT_NEAR(getExpectedChange(x, moments), change, 1e-4 * change);
  for (int64_t height : {16, 4}) {
    moments.outputs.push_back(SecondMoment::getIdentity(height));
  }
  EXPECT_NEAR(getExpectedChange(x, moments), change, 1e-4 * change);
}

/// The estimate need not be right, but as wrong for one matrix as for another.
TEST(OutputError, ExpectedIsNearWhatFeedbackLeaves) {
  constexpr double kNormalError = 0.03454; // of 3 bits
  for (auto [rows, columns] : {std::pair(64, 96), std::pair(96, 64)}) {
    Random random(32 + rows);
    std::vector<float> weights = random.get(rows * columns);
    auto inputs =
        SecondMoment::get(getCorrelatedMoment(columns, random), columns);
    ASSERT_EQ(errorOf(inputs), "");
    ProductMoments moments{std::move(*inputs), {}};
    PalettizeOptions options;
    options.refineRounds = 0;
    auto matrix = palettize(weights, moments, 3, 16, options);
    ASSERT_EQ(errorOf(matrix), "");
    double ratio = getOutputError(weights, getLayout(rows, columns, 3, 16),
                                  *matrix, moments) /
                   (getExpectedChange(weights, moments) * kNormalError);
    EXPECT_GT(ratio, 0.5);
    EXPECT_LT(ratio, 2.0);
  }
}

TEST(OutputError, IsOfTheDecodedWeights) {
  // One table of 0, 1, 2 and 3 halves for three rows of two columns.
  EncodedMatrix matrix;
  matrix.codes = {0, 1, 2, 3, 1, 1};
  matrix.tables = {0, 1, 2, 3};
  matrix.scales = {0x3800};
  std::vector<float> weights{0, 0.5f, 1, 1.5f, 0.25f, 0.75f};
  EXPECT_NEAR(getOutputError(weights, getLayout(3, 2, 2, 16), matrix,
                             {SecondMoment::getIdentity(2), {}}),
              2 * 0.25 * 0.25, 1e-6);
}
