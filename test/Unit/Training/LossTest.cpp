// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Training/Loss.h"
#include "test/Unit/Training/Derivatives.h"

namespace umber::training {
namespace {

TEST(UniformNumbersTest, CoverTheUnitIntervalEvenly) {
  UniformNumbers numbers(3), others(4);
  std::vector<int> counts(10);
  for (uint64_t i = 0; i < 10000; ++i) {
    ++counts.at(static_cast<size_t>(10 * numbers.get(i)));
  }
  for (int count : counts) {
    EXPECT_NEAR(count, 1000, 150);
  }
  EXPECT_NE(numbers.get(0), others.get(0));
}

TEST(DrawTest, TakesEachAsOftenAsItsProbability) {
  std::vector<float> p = {0.25f, 0, 0.5f, 0.25f};
  EXPECT_EQ(draw(p, 0), 0);
  EXPECT_EQ(draw(p, 0.2499), 0);
  EXPECT_EQ(draw(p, 0.25), 2);
  EXPECT_EQ(draw(p, 0.74), 2);
  EXPECT_EQ(draw(p, 0.76), 3);
  // Where rounding left a gap at the end: the likeliest.
  EXPECT_EQ(draw({0.25f, 0.5f}, 0.99), 1);
}

TEST(DrawnLossTest, HasTheMeanZero) {
  // 4000 rows with the same logits.
  std::vector<float> row = {1, 0, -1}, logits;
  for (int i = 0; i < 4000; ++i) {
    logits.insert(logits.end(), row.begin(), row.end());
  }
  drawnLossGradient(logits, 3, UniformNumbers(1), 0);
  for (int c = 0; c < 3; ++c) {
    double mean = 0;
    for (int i = 0; i < 4000; ++i) {
      mean += logits[3 * i + c] / 4000;
    }
    EXPECT_NEAR(mean, 0, 0.03);
  }
}

TEST(DivergenceTest, HasItsDerivative) {
  std::vector<float> teacher = getRandom(12, 1), student = getRandom(12, 2);
  auto loss = [&] {
    std::vector<float> t = teacher, s = student;
    return divergenceGradient(t, s, 4);
  };
  std::vector<float> t = teacher, gradient = student;
  EXPECT_GT(divergenceGradient(t, gradient, 4), 0.1);
  expectDerivative(student, gradient, loss);
  student = teacher;
  EXPECT_NEAR(loss(), 0, 1e-6);
}

} // namespace
} // namespace umber::training
