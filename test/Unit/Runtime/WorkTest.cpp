// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/Work.h"

#include <gtest/gtest.h>
#include <numeric>
#include <set>

using namespace umber::cpu;

namespace {

constexpr CacheShape kCache = {3, 2, 21, 2};

/// A step's arguments, as far as they matter here.
struct Step {
  std::vector<int64_t> positions, sequences;
  umber_kernel_args args = {};

  /// Rows of these positions, each in its sequence.
  Step(std::vector<int64_t> at, std::vector<int64_t> in, int64_t outputs)
      : positions(std::move(at)), sequences(std::move(in)) {
    args.tokens = positions.size();
    args.positions = positions.data();
    args.sequences = sequences.data();
    args.outputs = outputs;
  }
};

/// Of one sequence.
Step makeStep(int64_t tokens, int64_t position, int64_t outputs) {
  std::vector<int64_t> positions(tokens);
  std::iota(positions.begin(), positions.end(), position);
  return Step(positions, std::vector<int64_t>(tokens), outputs);
}

TEST(Work, ProductsReadWeightsOnceAndComputeEachRow) {
  PlannedDispatch product = {};
  product.weightBytes = 1000;
  product.flopsPerToken = 70;
  product.integerOpsPerToken = 50;
  Work work = getWork(product, kCache, makeStep(6, 9, 1).args);
  EXPECT_EQ(work.weightBytes, 1000u);
  EXPECT_EQ(work.cacheBytes, 0u);
  EXPECT_EQ(work.integerOps, 300u);
  EXPECT_EQ(work.floatOps, 120u);
}

TEST(Work, LogitsAreOfTheLastRows) {
  PlannedDispatch head = {};
  head.ofOutputs = true;
  head.weightBytes = 1000;
  head.flopsPerToken = head.integerOpsPerToken = 50;
  EXPECT_EQ(getWork(head, kCache, makeStep(6, 9, 2).args).integerOps, 100u);
  Work none = getWork(head, kCache, makeStep(6, 9, 0).args);
  EXPECT_EQ(none.weightBytes, 0u);
  EXPECT_EQ(none.integerOps, 0u);
}

TEST(Work, AttentionLooksBackAsFarAsItsWindow) {
  for (int64_t window : {0, 1, 4, 5, 100}) {
    for (int64_t position : {0, 1, 3, 4, 50}) {
      for (int64_t tokens : {1, 2, 7}) {
        std::set<int64_t> seen;
        uint64_t pairs = 0;
        for (int64_t at = position; at < position + tokens; ++at) {
          for (int64_t other = 0; other <= at; ++other) {
            if (window == 0 || other > at - window) {
              seen.insert(other);
              ++pairs;
            }
          }
        }
        PlannedDispatch attention = {};
        attention.flopsPerPosition = 12;
        attention.window = window;
        Work work =
            getWork(attention, kCache, makeStep(tokens, position, 0).args);
        EXPECT_EQ(work.floatOps, 12 * pairs);
        // Keys and values of two heads, with scales.
        EXPECT_EQ(work.cacheBytes, 2 * 2 * 23 * seen.size())
            << window << ' ' << position << ' ' << tokens;
      }
    }
  }
}

TEST(Work, SequencesOfABatchReadTheirOwnCaches) {
  PlannedDispatch attention = {};
  attention.flopsPerPosition = 10;
  Step batch({4, 0, 9}, {0, 1, 2}, 3);
  Work work = getWork(attention, kCache, batch.args);
  EXPECT_EQ(work.floatOps, 160u);
  EXPECT_EQ(work.cacheBytes, 2u * 16 * 2 * 23);
}

} // namespace
