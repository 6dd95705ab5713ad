// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/Work.h"

#include <gtest/gtest.h>
#include <set>

using namespace umber::cpu;

namespace {

constexpr CacheShape kCache = {3, 2, 21, 2};

umber_kernel_args makeStep(int64_t tokens, int64_t position, int64_t outputs) {
  umber_kernel_args args = {};
  args.tokens = tokens;
  args.position = position;
  args.outputs = outputs;
  return args;
}

TEST(Work, ProductsReadWeightsOnceAndComputeEachRow) {
  PlannedDispatch product = {};
  product.weightBytes = 1000;
  product.flopsPerToken = 70;
  product.integerOpsPerToken = 50;
  Work work = getWork(product, kCache, makeStep(6, 9, 1));
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
  EXPECT_EQ(getWork(head, kCache, makeStep(6, 9, 2)).integerOps, 100u);
  Work none = getWork(head, kCache, makeStep(6, 9, 0));
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
        Work work = getWork(attention, kCache, makeStep(tokens, position, 0));
        EXPECT_EQ(work.floatOps, 12 * pairs);
        // Keys and values of two heads, with scales.
        EXPECT_EQ(work.cacheBytes, 2 * 2 * 23 * seen.size())
            << window << ' ' << position << ' ' << tokens;
      }
    }
  }
}

} // namespace
