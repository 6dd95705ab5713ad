// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Derivatives by finite differences, for comparison.

#ifndef UMBER_TEST_UNIT_TRAINING_DERIVATIVES_H
#define UMBER_TEST_UNIT_TRAINING_DERIVATIVES_H

#include "gtest/gtest.h"
#include <cmath>
#include <functional>
#include <random>
#include <vector>

namespace umber::training {

/// From -1 to 1, the same with every standard library.
inline std::vector<float> getRandom(int64_t count, uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<float> values(count);
  for (float &value : values) {
    value = static_cast<float>(engine() / 2147483648.0 - 1);
  }
  return values;
}

inline double dot(const std::vector<float> &a, const std::vector<float> &b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    sum += double(a[i]) * b[i];
  }
  return sum;
}

/// Checks that `gradient` is the derivative by `x` of the loss, which is
/// smooth; `x` is what the loss reads, and is changed meanwhile.
inline void expectDerivative(std::vector<float> &x,
                             const std::vector<float> &gradient,
                             const std::function<double()> &loss,
                             double tolerance = 2e-3) {
  ASSERT_EQ(x.size(), gradient.size());
  constexpr float kStep = 1e-2f;
  for (size_t i = 0; i < x.size(); ++i) {
    float at = x[i];
    x[i] = at + kStep;
    double above = loss();
    x[i] = at - kStep;
    double below = loss();
    x[i] = at;
    double expected = (above - below) / (2 * kStep);
    EXPECT_NEAR(gradient[i], expected,
                tolerance * std::max(1.0, std::fabs(expected)))
        << "at " << i;
  }
}

} // namespace umber::training

#endif // UMBER_TEST_UNIT_TRAINING_DERIVATIVES_H
