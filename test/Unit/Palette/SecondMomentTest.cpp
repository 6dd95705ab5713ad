// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/SecondMoment.h"
#include "test/Unit/Palette/RandomMatrices.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>

using namespace umber::palette;

TEST(SecondMoment, FactorsWhatItKeeps) {
  Random random(4);
  for (int64_t columns : {1, 5, 64, 97}) {
    std::vector<double> h = getCorrelatedMoment(columns, random);
    auto moment = SecondMoment::get(h, columns);
    ASSERT_EQ(errorOf(moment), "");
    int64_t stride = moment->getStride();
    ASSERT_GE(stride, columns);
    for (int64_t i = 0; i < columns; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        int64_t row = moment->getOrder()[i], column = moment->getOrder()[j];
        double expected = h[row * columns + column] / moment->getScale() +
                          (i == j ? moment->getDamping() : 0);
        double kept = moment->getMatrix()[i * stride + j];
        EXPECT_NEAR(kept, expected, 1e-5);
        double product = 0; // R R^T, R upper and stored transposed
        for (int64_t k = std::max(i, j); k < columns; ++k) {
          product += double(moment->getFactor()[k * stride + i]) *
                     moment->getFactor()[k * stride + j];
        }
        EXPECT_NEAR(product, kept, 1e-4);
      }
    }
  }
}

TEST(SecondMoment, OrdersColumnsByTheirDiagonal) {
  auto moment = SecondMoment::get({1, 0, 0, 0, 5, 0, 0, 0, 3}, 3);
  ASSERT_EQ(errorOf(moment), "");
  EXPECT_EQ(moment->getOrder(), (llvm::ArrayRef<int32_t>{1, 2, 0}));
  auto given = SecondMoment::get({1, 0, 0, 0, 5, 0, 0, 0, 3}, 3,
                                 SecondMoment::Order::Given);
  ASSERT_EQ(errorOf(given), "");
  EXPECT_EQ(given->getOrder(), (llvm::ArrayRef<int32_t>{0, 1, 2}));
}

TEST(SecondMoment, TakesInputsThatNeverVary) {
  // Of rank 1, and zero: neither can be factored as it is.
  auto moment = SecondMoment::get(
      {1, 1, 1, 1}, 2, SecondMoment::Order::Descending, /*damping=*/0);
  ASSERT_EQ(errorOf(moment), "");
  EXPECT_GT(moment->getDamping(), 0);
  auto zero = SecondMoment::get({0, 0, 0, 0}, 2);
  ASSERT_EQ(errorOf(zero), "");
  EXPECT_EQ(zero->getMatrix()[0], 1);
}

TEST(SecondMoment, RefusesWhatNoInputsHave) {
  double nan = std::numeric_limits<double>::quiet_NaN();
  expectError(SecondMoment::get({1, 0, nan, 1}, 2),
              "second moment has nan at row 1, column 0");
  expectError(SecondMoment::get({1, 0, 0, -2}, 2),
              "second moment has -2 at column 1 of its diagonal, "
              "expected no negative number");
}
