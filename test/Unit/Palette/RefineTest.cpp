// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/Refine.h"
#include "passes/Compression/Palette/KMeans.h"
#include "test/Unit/Palette/RandomMatrices.h"
#include "gtest/gtest.h"

using namespace umber::palette;

namespace {

/// A block of random weights with tables, for a second moment of its own.
struct Case {
  RowBlock block;
  SecondMoment moment;

  static Case make(int64_t rows, int64_t columns, int64_t rowsPerTable,
                   int64_t bits, uint32_t seed) {
    Random random(seed);
    auto moment =
        SecondMoment::get(getCorrelatedMoment(columns, random), columns);
    EXPECT_EQ(errorOf(moment), "");
    Case c{RowBlock(rows, columns, rowsPerTable, bits), std::move(*moment)};
    c.block.weights = random.get(rows * columns);
    for (int64_t r = 0; r < rows; ++r) {
      c.block.importance[r] = 1 + r % 3;
    }
    kMeansTables(c.block, c.moment.getPlacementWeights());
    return c;
  }

  double getObjective() const {
    std::vector<float> gradient;
    double sum = 0;
    for (double part : umber::palette::getObjective(block, moment, gradient)) {
      sum += part;
    }
    return sum;
  }

  /// importance * e H e^T as it is defined, of what codes and tables say.
  double computeObjective() const {
    double sum = 0;
    for (int64_t r = 0; r < block.rows; ++r) {
      auto error = [&](int64_t position) {
        int64_t i = position * block.rows + r, g = r / block.rowsPerTable;
        return block.tables.getEntries(g)[block.codes[i]] *
                   block.tables.getScale(g) -
               block.weights[i];
      };
      for (int64_t p = 0; p < block.columns; ++p) {
        for (int64_t q = 0; q < block.columns; ++q) {
          sum += block.importance[r] * error(p) * error(q) *
                 moment.getMatrix()[p * moment.getStride() + q];
        }
      }
    }
    return sum;
  }
};

} // namespace

TEST(Refine, KeepsErrorsThatCodesAndTablesHave) {
  Case c = Case::make(11, 70, 4, 3, 6);
  assignWithFeedback(c.block, c.moment);
  double expected = c.computeObjective();
  EXPECT_NEAR(c.getObjective(), expected, 1e-3 * expected);
  refine(c.block, c.moment, 2, 2);
  expected = c.computeObjective();
  EXPECT_NEAR(c.getObjective(), expected, 1e-3 * expected);
}

TEST(Refine, NeverRaisesTheObjective) {
  for (int64_t bits : {1, 2, 3, 4, 6, 8}) {
    Case c = Case::make(16, 65, 16, bits, 7 + bits);
    assignWithFeedback(c.block, c.moment);
    std::vector<double> course = refine(c.block, c.moment, 5, 2);
    ASSERT_EQ(course.size(), 6u);
    for (size_t i = 1; i < course.size(); ++i) {
      EXPECT_LE(course[i], course[i - 1]);
    }
    EXPECT_LT(course.back(), course.front());
    EXPECT_NEAR(c.getObjective(), course.back(), 1e-3 * course.back());
  }
}

TEST(Refine, DescentLeavesNoCodeThatAnotherBeats) {
  Case c = Case::make(3, 20, 3, 2, 20);
  assignNearest(c.block);
  for (int pass = 0; pass < 50; ++pass) {
    descend(c.block, c.moment);
  }
  double reached = c.computeObjective();
  for (uint8_t &code : c.block.codes) {
    uint8_t kept = code;
    for (code = 0; code < 4; ++code) {
      EXPECT_GE(c.computeObjective(), reached * (1 - 1e-4));
    }
    code = kept;
  }
}

TEST(Refine, FeedbackBeatsNearestEntriesWhereInputsAreCorrelated) {
  Case c = Case::make(16, 96, 16, 3, 21);
  assignNearest(c.block);
  double nearest = c.getObjective();
  assignWithFeedback(c.block, c.moment);
  double feedback = c.getObjective();
  EXPECT_LT(feedback, 0.5 * nearest);
}
