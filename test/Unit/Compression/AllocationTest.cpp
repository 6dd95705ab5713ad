// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Allocation.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <limits>
#include <random>

using namespace umber;

using Matrices = std::vector<std::vector<StorageChoice>>;

namespace {

struct Total {
  double error = 0;
  int64_t bytes = 0;

  bool operator<(const Total &other) const {
    return std::pair(error, bytes) < std::pair(other.error, other.bytes);
  }
};

Total add(const Matrices &matrices, const std::vector<size_t> &chosen) {
  Total total;
  for (size_t m = 0; m < matrices.size(); ++m) {
    total.error += matrices[m][chosen[m]].error;
    total.bytes += matrices[m][chosen[m]].bytes;
  }
  return total;
}

/// The best of all combinations within the budget.
std::optional<Total> tryAll(const Matrices &matrices, int64_t budget) {
  std::optional<Total> best;
  std::vector<size_t> chosen(matrices.size());
  while (true) {
    Total total = add(matrices, chosen);
    if (total.bytes <= budget && (!best || total < *best)) {
      best = total;
    }
    size_t m = 0;
    while (m < chosen.size() && ++chosen[m] == matrices[m].size()) {
      chosen[m++] = 0;
    }
    if (m == chosen.size()) {
      return best;
    }
  }
}

} // namespace

TEST(Allocation, IsTheBestOfAllCombinations) {
  std::mt19937 engine(50);
  auto pick = [&](int64_t from, int64_t to) {
    return from + int64_t(engine() % uint64_t(to - from + 1));
  };
  int feasible = 0;
  for (int i = 0; i < 2000; ++i) {
    Matrices matrices(pick(1, 6));
    for (std::vector<StorageChoice> &choices : matrices) {
      choices.resize(pick(1, 4));
      for (StorageChoice &choice : choices) {
        // Few values, for many ties; whole, for exact sums.
        choice = {pick(0, 30), double(pick(0, 9))};
      }
    }
    int64_t budget = pick(0, 120);
    auto chosen = allocate(matrices, budget);
    auto expected = tryAll(matrices, budget);
    ASSERT_EQ(chosen.has_value(), expected.has_value());
    if (chosen) {
      ++feasible;
      Total actual = add(matrices, *chosen);
      EXPECT_EQ(actual.error, expected->error);
      EXPECT_EQ(actual.bytes, expected->bytes);
    }
  }
  EXPECT_GT(feasible, 1000);
}

TEST(Allocation, OfALargeModelIsNearTheBoundThatPricesGive) {
  std::mt19937 engine(51);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (size_t count : {size_t(1), size_t(7), size_t(210), size_t(900)}) {
    Matrices matrices(count);
    int64_t weights = 0;
    double largest = 0;
    for (std::vector<StorageChoice> &choices : matrices) {
      int64_t size = int64_t(1e6 * (1 + 30 * uniform(engine)));
      double sensitivity = std::exp(-8 * uniform(engine)) * double(size);
      weights += size;
      for (int bits : {2, 3, 4, 8}) {
        choices.push_back(
            {size * bits / 8 + 1000, sensitivity * std::pow(0.25, bits)});
      }
      largest = std::max(largest, choices.front().error);
    }
    for (double bits : {2.5, 3.5, 5.0}) {
      int64_t budget = int64_t(bits * double(weights) / 8);
      auto chosen = allocate(matrices, budget);
      ASSERT_TRUE(chosen);
      Total total = add(matrices, *chosen);
      EXPECT_LE(total.bytes, budget);
      if (count >= 210) {
        EXPECT_GE(double(total.bytes), 0.995 * double(budget));
      }
      // For any price of a byte, no choice within the budget errs less than the
      // best at that price less the price of the budget.
      double bound = 0;
      for (double price = 1e-12; price < 1; price *= 1.05) {
        double atPrice = -price * double(budget);
        for (const std::vector<StorageChoice> &choices : matrices) {
          double best = std::numeric_limits<double>::infinity();
          for (const StorageChoice &choice : choices) {
            best = std::min(best, choice.error + price * double(choice.bytes));
          }
          atPrice += best;
        }
        bound = std::max(bound, atPrice);
      }
      EXPECT_GE(total.error, bound * (1 - 1e-9));
      EXPECT_LE(total.error, 1.02 * bound + largest);
      // Nothing fits into what is left.
      for (size_t m = 0; m < count; ++m) {
        const StorageChoice &now = matrices[m][(*chosen)[m]];
        for (const StorageChoice &choice : matrices[m]) {
          EXPECT_FALSE(choice.error < now.error &&
                       choice.bytes - now.bytes <= budget - total.bytes);
        }
      }
    }
  }
}

TEST(Allocation, OfNothingIsEmpty) {
  auto chosen = allocate({}, int64_t(1) << 40);
  ASSERT_TRUE(chosen);
  EXPECT_TRUE(chosen->empty());
}

TEST(Allocation, MarginalGainIsTheBestNextStepOfAny) {
  std::vector<std::vector<StorageChoice>> matrices = {
      {{10, 8}, {20, 3}, {40, 1}},
      {{100, 50}, {200, 20}, {300, 40}},
  };
  EXPECT_DOUBLE_EQ(getMarginalGain(matrices, {0, 0}), 0.5);
  EXPECT_DOUBLE_EQ(getMarginalGain(matrices, {1, 0}), 0.3);
  EXPECT_DOUBLE_EQ(getMarginalGain(matrices, {1, 1}), 0.1);
  // Nothing larger, or nothing better.
  EXPECT_EQ(getMarginalGain(matrices, {2, 1}), 0);
  EXPECT_EQ(getMarginalGain({}, {}), 0);
}
