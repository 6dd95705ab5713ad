// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Statistics against values worked out by hand.

#include "tools/umber-eval/Statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

using namespace umber::tools;

namespace {

constexpr double kLog2 = 0.69314718055994531;
/// Logits are f32: a probability's logarithm is off by half a unit at most.
constexpr double kTolerance = 1e-6;

/// Logits of these probabilities, moved by what softmax does not see.
std::vector<float> logitsOf(const std::vector<double> &probabilities,
                            double shift = 0.0) {
  std::vector<float> logits;
  for (double p : probabilities) {
    logits.push_back(static_cast<float>(std::log(p) + shift));
  }
  return logits;
}

double divergence(const std::vector<float> &p, const std::vector<float> &q) {
  return klDivergence(p.data(), q.data(), p.size());
}

double sparseDivergence(const std::vector<float> &p,
                        const std::vector<float> &q, size_t top) {
  return klDivergence(sparsify(p.data(), p.size(), top), q.data(), q.size());
}

TEST(LogSumExp, Values) {
  std::vector<float> six = logitsOf({1.0, 2.0, 3.0});
  EXPECT_NEAR(logSumExp(six.data(), 3), std::log(6.0), kTolerance);
  // Neither exponential can be represented.
  std::vector<float> large = {1000.0f, 1000.0f}, small = {-1000.0f, -1000.0f};
  EXPECT_DOUBLE_EQ(logSumExp(large.data(), 2), 1000.0 + kLog2);
  EXPECT_DOUBLE_EQ(logSumExp(small.data(), 2), -1000.0 + kLog2);
}

TEST(LogSumExp, TellsOfBrokenLogits) {
  float nan = std::numeric_limits<float>::quiet_NaN();
  float infinity = std::numeric_limits<float>::infinity();
  for (std::vector<float> logits : {std::vector<float>{nan, 0, 0},
                                    {0, nan, 0},
                                    {0, 0, infinity},
                                    {-infinity, -infinity, -infinity}}) {
    EXPECT_FALSE(std::isfinite(logSumExp(logits.data(), 3)));
  }
}

TEST(MostProbable, FirstOfEquals) {
  std::vector<float> logits = {0.0f, 3.0f, 3.0f, -1.0f};
  EXPECT_EQ(mostProbable(logits.data(), 4), 1u);
}

TEST(KLDivergence, Values) {
  // ½ log(½ / ¼) + ½ log(½ / ¾) = ½ log(4/3).
  EXPECT_NEAR(divergence(logitsOf({0.5, 0.5}), logitsOf({0.25, 0.75})),
              0.5 * std::log(4.0 / 3.0), kTolerance);
  // The other direction: ¼ log(½) + ¾ log(3/2).
  EXPECT_NEAR(divergence(logitsOf({0.25, 0.75}), logitsOf({0.5, 0.5})),
              -0.25 * kLog2 + 0.75 * std::log(1.5), kTolerance);
  // Logits are known up to a constant only.
  EXPECT_NEAR(divergence(logitsOf({0.5, 0.5}, 7), logitsOf({0.25, 0.75}, -9)),
              0.5 * std::log(4.0 / 3.0), kTolerance);
}

TEST(KLDivergence, Extremes) {
  std::vector<float> logits = {1.0f, -2.5f, 300.0f, 0.0f};
  EXPECT_EQ(divergence(logits, logits), 0.0);
  float infinity = std::numeric_limits<float>::infinity();
  // What the reference excludes costs nothing: 1 log(1 / ½).
  EXPECT_NEAR(divergence({0.0f, -infinity}, {0.0f, 0.0f}), kLog2, kTolerance);
  // What the model excludes costs everything.
  EXPECT_EQ(divergence({0.0f, 0.0f}, {0.0f, -infinity}), infinity);
  EXPECT_TRUE(std::isnan(divergence({0.0f, 0.0f}, {0.0f, NAN})));
}

TEST(Sparsify, KeepsTheBest) {
  std::vector<float> logits = logitsOf({0.125, 0.5, 0.0625, 0.25, 0.0625}, 3);
  SparsePrediction sparse = sparsify(logits.data(), logits.size(), 2);
  EXPECT_EQ(sparse.ids, (std::vector<uint32_t>{1, 3}));
  ASSERT_EQ(sparse.logProbabilities.size(), 2u);
  EXPECT_NEAR(sparse.logProbabilities[0], -kLog2, kTolerance);
  EXPECT_NEAR(sparse.logProbabilities[1], -2 * kLog2, kTolerance);
  EXPECT_NEAR(sparse.logRest, -2 * kLog2, kTolerance);
}

TEST(Sparsify, FirstOfEquals) {
  std::vector<float> logits = {1.0f, 1.0f, 1.0f, 1.0f};
  EXPECT_EQ(sparsify(logits.data(), 4, 3).ids,
            (std::vector<uint32_t>{0, 1, 2}));
}

TEST(Sparsify, KeepsAll) {
  std::vector<float> logits = logitsOf({0.25, 0.75});
  SparsePrediction sparse = sparsify(logits.data(), 2, 9);
  EXPECT_EQ(sparse.ids, (std::vector<uint32_t>{1, 0}));
  EXPECT_EQ(sparse.logRest, -std::numeric_limits<float>::infinity());
}

TEST(SparseKLDivergence, Values) {
  std::vector<float> p = logitsOf({0.125, 0.5, 0.125, 0.25});
  std::vector<float> q = logitsOf({0.4, 0.25, 0.1, 0.25}, 5);
  // (½, ¼, rest ¼) against (¼, ¼, rest ½).
  EXPECT_NEAR(sparseDivergence(p, q, 2), 0.25 * kLog2, kTolerance);
  // (½, rest ½) against (¼, rest ¾).
  EXPECT_NEAR(sparseDivergence(p, q, 1), 0.5 * std::log(4.0 / 3.0), kTolerance);
  double full = 0.5 * kLog2 + 0.125 * std::log(0.125 / 0.4) +
                0.125 * std::log(0.125 / 0.1);
  EXPECT_NEAR(divergence(p, q), full, kTolerance);
  EXPECT_NEAR(sparseDivergence(p, q, 4), full, kTolerance);
  EXPECT_LT(sparseDivergence(p, q, 1), sparseDivergence(p, q, 2));
  EXPECT_LT(sparseDivergence(p, q, 2), full);
}

TEST(SparseKLDivergence, ExactWhereTheRestIsProportional) {
  std::vector<float> p = logitsOf({0.5, 0.25, 0.125, 0.125});
  std::vector<float> q = logitsOf({0.25, 0.25, 0.25, 0.25});
  EXPECT_NEAR(divergence(p, q), 0.25 * kLog2, kTolerance);
  EXPECT_NEAR(sparseDivergence(p, q, 2), 0.25 * kLog2, kTolerance);
}

TEST(SparseKLDivergence, TinyRest) {
  // The rest's probability is far below what 1 - p can tell from 0.
  std::vector<float> p = {0.0f, -60.0f}, q = {0.0f, -60.0f};
  EXPECT_NEAR(sparseDivergence(p, q, 1), 0.0, 1e-20);
}

TEST(Estimates, Mean) {
  Estimate mean = estimateMean({1, 2, 3, 4});
  EXPECT_DOUBLE_EQ(mean.value, 2.5);
  // The variance is 5/4; √(5/4 / 3).
  EXPECT_DOUBLE_EQ(mean.error, std::sqrt(5.0 / 12.0));
  EXPECT_EQ(estimateMean({7}).value, 7.0);
  EXPECT_EQ(estimateMean({7}).error, 0.0);
}

TEST(Estimates, Perplexity) {
  // log 2 and log 8: the mean is log 4, the error of the mean log 2.
  Estimate perplexity = estimatePerplexity({kLog2, 3 * kLog2});
  EXPECT_NEAR(perplexity.value, 4.0, 1e-12);
  EXPECT_NEAR(perplexity.error, 4.0 * kLog2, 1e-12);
}

TEST(Estimates, Proportion) {
  Estimate proportion = estimateProportion(3, 4);
  EXPECT_DOUBLE_EQ(proportion.value, 0.75);
  EXPECT_DOUBLE_EQ(proportion.error, 0.25); // √(3/16 / 3)
  EXPECT_EQ(estimateProportion(5, 5).error, 0.0);
}

TEST(Estimates, Quantile) {
  std::vector<double> values = {4, 1, 3, 2};
  EXPECT_DOUBLE_EQ(quantile(values, 0.0), 1.0);
  EXPECT_DOUBLE_EQ(quantile(values, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile(values, 0.99), 3.97);
  EXPECT_DOUBLE_EQ(quantile(values, 1.0), 4.0);
  EXPECT_DOUBLE_EQ(quantile({3, 1, 2}, 0.5), 2.0);
  EXPECT_DOUBLE_EQ(quantile({8}, 0.99), 8.0);
}

} // namespace
