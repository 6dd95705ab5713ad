// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/Tables.h"
#include "test/Unit/Palette/RandomMatrices.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>

using namespace umber::palette;

TEST(Tables, StoreWhatTheyCanHoldExactly) {
  Tables tables(1, 4);
  std::vector<double> metric(16);
  for (int a = 0; a < 4; ++a) {
    metric[a * 5] = 1;
  }
  EXPECT_EQ(tables.round(0, {-7.0, -2.0, 2.0, 7.0}, metric), 0);
  constexpr float expected[] = {-7, -2, 2, 7};
  for (int a = 0; a < 4; ++a) {
    EXPECT_EQ(tables.getEntries(0)[a] * tables.getScale(0), expected[a]);
  }
}

TEST(Tables, RoundWithinHalfAnEntry) {
  Random random(5);
  for (float size : {1e-6f, 1e-3f, 1.0f, 500.0f}) {
    Tables tables(1, 16);
    std::vector<double> target, metric(256);
    for (int a = 0; a < 16; ++a) {
      target.push_back(size * random.get());
      metric[a * 17] = 1;
    }
    double error = tables.round(0, target, metric), sum = 0;
    for (int a = 0; a < 16; ++a) {
      double miss = tables.getEntries(0)[a] * tables.getScale(0) - target[a];
      sum += miss * miss;
    }
    EXPECT_NEAR(error, sum, 1e-6 * sum);
    double top = std::abs(
        *std::max_element(target.begin(), target.end(), [](double a, double b) {
          return std::abs(a) < std::abs(b);
        }));
    // f16 has few digits left at the smallest size.
    EXPECT_LT(std::sqrt(sum / 16), top / (size < 1e-5 ? 16 : 128));
  }
}

TEST(Tables, ReplaceScalesThatHalfCannotHold) {
  Tables tables(1, 2);
  tables.round(0, {-1e9, 1e9}, {1, 0, 0, 1});
  EXPECT_EQ(tables.getScale(0), 65504);
  tables.round(0, {-1e-12, 1e-12}, {1, 0, 0, 1});
  EXPECT_GT(tables.getScale(0), 0);
  tables.round(0, {0, 0}, {1, 0, 0, 1});
  EXPECT_EQ(tables.getEntries(0)[0] * tables.getScale(0), 0);
}

TEST(Tables, FindTheNearestEntry) {
  Tables tables(1, 8);
  std::vector<double> metric(64);
  for (int a = 0; a < 8; ++a) {
    metric[a * 9] = 1;
  }
  tables.round(0, {-64, -20, -3, 0, 1, 2, 30, 63}, metric);
  int32_t cells[Tables::cellCount];
  tables.fillCells(0, cells);
  for (int cell = 0; cell < Tables::cellCount; ++cell) {
    double middle = (cell - 128) / 2.0 + 0.25;
    int found = cells[cell] >> 8;
    EXPECT_EQ(found, tables.getEntries(0)[cells[cell] & 255]);
    for (int8_t entry : tables.getEntries(0)) {
      EXPECT_LE(std::abs(found - middle), std::abs(entry - middle));
    }
  }
}
