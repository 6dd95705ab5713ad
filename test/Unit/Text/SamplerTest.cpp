// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the sampler picks, how often, and that it does so again.

#include "runtime/core/text/Sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

using namespace umber;

namespace {

SamplerOptions everything() {
  SamplerOptions options;
  options.temperature = 1.0f;
  options.topK = 0;
  options.topP = 1.0f;
  options.minP = 0.0f;
  return options;
}

Sampler make(const SamplerOptions &options) {
  auto created = Sampler::create(options);
  EXPECT_TRUE(created.ok()) << created.status().message();
  return *created;
}

int32_t pick(Sampler &sampler, const std::vector<float> &logits) {
  auto id = sampler.sample(logits.data(), logits.size());
  EXPECT_TRUE(id.ok()) << id.status().message();
  return id.ok() ? *id : -1;
}

/// How often each token is picked in `draws` draws.
std::vector<int> count(const SamplerOptions &options,
                       const std::vector<float> &logits, int draws) {
  Sampler sampler = make(options);
  std::vector<int> counts(logits.size());
  for (int i = 0; i < draws; ++i) {
    ++counts[static_cast<size_t>(pick(sampler, logits))];
  }
  return counts;
}

/// Logits of the probabilities 0.5, 0.3, 0.15, 0.05, not in order.
std::vector<float> fourTokens() {
  return {std::log(0.15f), std::log(0.5f), std::log(0.05f), std::log(0.3f)};
}

TEST(SamplerTest, GreedyTakesTheFirstOfTheBest) {
  SamplerOptions options;
  options.temperature = 0.0f;
  Sampler sampler = make(options);
  EXPECT_EQ(pick(sampler, {1, 5, 3, 5}), 1);
  EXPECT_EQ(pick(sampler, {2, 2, 2}), 0);
  EXPECT_EQ(pick(sampler, {-INFINITY, -3, -INFINITY}), 1);
}

TEST(SamplerTest, DrawsByProbability) {
  constexpr int draws = 20000;
  std::vector<int> counts = count(everything(), fourTokens(), draws);
  const double expected[] = {0.15, 0.5, 0.05, 0.3};
  for (size_t id = 0; id < 4; ++id) {
    // Four standard deviations of a binomial count.
    double p = expected[id];
    double tolerance = 4 * std::sqrt(draws * p * (1 - p));
    EXPECT_NEAR(counts[id], draws * p, tolerance) << id;
  }
}

TEST(SamplerTest, TemperatureSharpens) {
  constexpr int draws = 20000;
  SamplerOptions options = everything();
  options.temperature = 0.5f;
  // Squared and normalised: 0.25 / (0.25 + 0.09 + 0.0225 + 0.0025).
  double p = 0.25 / 0.365;
  EXPECT_NEAR(count(options, fourTokens(), draws)[1], draws * p,
              4 * std::sqrt(draws * p * (1 - p)));
}

TEST(SamplerTest, TopKKeepsTheBestAndTheLowestIds) {
  SamplerOptions options = everything();
  options.topK = 2;
  std::vector<int> counts = count(options, fourTokens(), 2000);
  EXPECT_EQ(counts[0] + counts[2], 0);
  EXPECT_GT(counts[1], 0);
  EXPECT_GT(counts[3], 0);
  counts = count(options, {1, 1, 1, 1}, 2000);
  EXPECT_EQ(counts[2] + counts[3], 0);
  options.topK = 1;
  EXPECT_EQ(count(options, fourTokens(), 100)[1], 100);
}

TEST(SamplerTest, TopKIsTheSameForFewAndForMany) {
  // A permutation of 1,000 logits, in which token 7 i mod 1000 has rank i.
  std::vector<float> logits(1000);
  for (int i = 0; i < 1000; ++i) {
    logits[static_cast<size_t>(7 * i % 1000)] = -0.001f * static_cast<float>(i);
  }
  for (int k : {2, 255, 256, 257, 999}) {
    SamplerOptions options = everything();
    options.topK = k;
    std::vector<int> counts = count(options, logits, 20000);
    int outside = 0;
    for (int i = k; i < 1000; ++i) {
      outside += counts[static_cast<size_t>(7 * i % 1000)];
    }
    EXPECT_EQ(outside, 0) << k;
    EXPECT_GT(counts[static_cast<size_t>(7 * (k - 1) % 1000)], 0) << k;
  }
}

TEST(SamplerTest, TopPKeepsTheSmallestSetWithTheMass) {
  SamplerOptions options = everything();
  options.topP = 0.7f;
  std::vector<int> counts = count(options, fourTokens(), 2000);
  EXPECT_EQ(counts[0] + counts[2], 0);
  EXPECT_GT(counts[3], 0);
  options.topP = 0.4f;
  EXPECT_EQ(count(options, fourTokens(), 100)[1], 100);
}

TEST(SamplerTest, TopPCountsWhatTopKHasLeft) {
  // Of the best two, 0.5 and 0.3, the first has 0.625 of the mass.
  SamplerOptions options = everything();
  options.topK = 2;
  options.topP = 0.6f;
  EXPECT_EQ(count(options, fourTokens(), 200)[1], 200);
}

TEST(SamplerTest, MinPIsRelativeToTheBest) {
  SamplerOptions options = everything();
  options.minP = 0.25f;
  std::vector<int> counts = count(options, fourTokens(), 4000);
  EXPECT_GT(counts[0], 0);
  EXPECT_EQ(counts[2], 0);
  options.minP = 0.5f;
  counts = count(options, fourTokens(), 4000);
  EXPECT_EQ(counts[0], 0);
  EXPECT_GT(counts[3], 0);
}

TEST(SamplerTest, PenaltyDividesPositiveAndMultipliesNegativeLogits) {
  SamplerOptions options;
  options.temperature = 0.0f;
  options.repeatPenalty = 2.0f;
  Sampler sampler = make(options);
  // sample() notes what it picks: 4 / 2 is then below 3.
  EXPECT_EQ(pick(sampler, {4, 3, 1}), 0);
  EXPECT_EQ(pick(sampler, {4, 3, 1}), 1);
  sampler.reset();
  sampler.accept(0);
  EXPECT_EQ(pick(sampler, {-1, -1.5f}), 1);
}

TEST(SamplerTest, PenaltyCountsATokenOnceAndForgets) {
  SamplerOptions options;
  options.temperature = 0.0f;
  options.repeatPenalty = 2.0f;
  options.repeatLastN = 3;
  Sampler sampler = make(options);
  sampler.accept(0);
  sampler.accept(0);
  // 8 / 2, not 8 / 4.
  EXPECT_EQ(pick(sampler, {8, 3, 0}), 0);
  sampler.reset();
  sampler.accept(0);
  for (int i = 0; i < 3; ++i) {
    sampler.accept(2);
  }
  EXPECT_EQ(pick(sampler, {8, 7, 0}), 0);
}

TEST(SamplerTest, TheSameSeedGivesTheSameTokens) {
  SamplerOptions options = everything();
  options.seed = 42;
  std::vector<float> flat(1000, 0.0f);
  Sampler first = make(options), second = make(options);
  options.seed = 43;
  Sampler other = make(options);
  int equal = 0;
  for (int i = 0; i < 100; ++i) {
    int32_t id = pick(first, flat);
    EXPECT_EQ(pick(second, flat), id);
    equal += pick(other, flat) == id;
  }
  EXPECT_LT(equal, 10);
  first.reset();
  second = make([&] {
    options.seed = 42;
    return options;
  }());
  EXPECT_EQ(pick(first, flat), pick(second, flat));
}

TEST(SamplerTest, SequencesAreTheSameOnEveryPlatform) {
  // mt19937_64 with seed 5489 begins 14514284786278117030, 4620546740167642908,
  // 13109570281517897720; the upper 53 bits over 2^53 pick from 1,000 equal
  // tokens.
  SamplerOptions options = everything();
  options.seed = 5489;
  Sampler sampler = make(options);
  std::vector<float> flat(1000, 0.0f);
  EXPECT_EQ(pick(sampler, flat), 786);
  EXPECT_EQ(pick(sampler, flat), 250);
  EXPECT_EQ(pick(sampler, flat), 710);
}

TEST(SamplerTest, NeverPicksAnExcludedToken) {
  SamplerOptions options = everything();
  std::vector<int> counts =
      count(options, {-INFINITY, 0, -INFINITY, 0, -INFINITY}, 1000);
  EXPECT_EQ(counts[1] + counts[3], 1000);
}

TEST(SamplerTest, RefusesLogitsThatAreNoNumbers) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  for (float temperature : {0.0f, 1.0f}) {
    SamplerOptions options = everything();
    options.temperature = temperature;
    Sampler sampler = make(options);
    for (const std::vector<float> &logits :
         {std::vector<float>{1, nan, 3}, std::vector<float>{1, INFINITY},
          std::vector<float>{-INFINITY, -INFINITY}, std::vector<float>{}}) {
      auto id = sampler.sample(logits.data(), logits.size());
      ASSERT_FALSE(id.ok());
      EXPECT_EQ(id.status().code(), StatusCode::InvalidArgument);
    }
    std::vector<float> logits = {1, nan, 3};
    auto id = sampler.sample(logits.data(), logits.size());
    EXPECT_NE(id.status().message().find("token 1"), std::string::npos);
    EXPECT_GE(pick(sampler, {1, 2}), 0);
  }
}

TEST(SamplerTest, APenaltyBelowOneMayNotOverflow) {
  SamplerOptions options = everything();
  options.repeatPenalty = 1e-30f;
  Sampler sampler = make(options);
  sampler.accept(1);
  // 1e20 / 1e-30 is beyond a float: still by far the best.
  EXPECT_EQ(pick(sampler, {0, 1e20f, 0, 0}), 1);
}

TEST(SamplerTest, RefusesOptionsOutOfRange) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  auto refuses = [](SamplerOptions options) {
    auto created = Sampler::create(options);
    return !created.ok() &&
           created.status().code() == StatusCode::InvalidArgument;
  };
  SamplerOptions options;
  EXPECT_FALSE(refuses(options));
  options.temperature = nan;
  EXPECT_TRUE(refuses(options));
  options = {};
  options.topP = 0.0f;
  EXPECT_TRUE(refuses(options));
  options.topP = 1.5f;
  EXPECT_TRUE(refuses(options));
  options = {};
  options.minP = -0.1f;
  EXPECT_TRUE(refuses(options));
  options = {};
  options.repeatPenalty = 0.0f;
  EXPECT_TRUE(refuses(options));
  options = {};
  options.topK = -1;
  EXPECT_TRUE(refuses(options));
}

TEST(SamplerTest, NeedsAsManyCandidatesAsItKeeps) {
  SamplerOptions options;
  auto needed = [&] { return make(options).candidatesNeeded(1000); };
  EXPECT_EQ(needed(), 40u);
  options.topK = 0;
  EXPECT_EQ(needed(), 1000u);
  options.temperature = 0.0f;
  EXPECT_EQ(needed(), 1u);
  options.repeatPenalty = 1.1f;
  EXPECT_EQ(needed(), 65u);
  options.temperature = 1.0f;
  options.topK = 5;
  EXPECT_EQ(needed(), 69u);
  EXPECT_EQ(make(options).candidatesNeeded(50), 50u);
  // Whoever is preferred may come from anywhere.
  options.repeatPenalty = 0.9f;
  EXPECT_EQ(needed(), 1000u);
}

TEST(SamplerTest, PicksFromCandidatesWhatItWouldFromAll) {
  constexpr size_t kTokens = 300;
  std::mt19937 random(3);
  for (float penalty : {1.0f, 1.3f, 4.0f}) {
    for (float temperature : {0.0f, 0.7f, 3.0f}) {
      SamplerOptions options;
      options.temperature = temperature;
      options.topK = 6;
      options.repeatPenalty = penalty;
      options.repeatLastN = 12;
      Sampler all = make(options), some = make(options);
      size_t needed = some.candidatesNeeded(kTokens);
      for (int step = 0; step < 60; ++step) {
        // Few values, many of which are equal, on both sides of zero.
        std::vector<float> logits(kTokens);
        for (float &logit : logits) {
          logit = float(random() % 40) * 0.25f - 5.0f;
        }
        std::vector<Candidate> candidates =
            selectCandidates(logits.data(), kTokens, needed);
        ASSERT_EQ(candidates.size(), needed);
        auto id = some.sampleCandidates(candidates.data(), needed);
        ASSERT_TRUE(id.ok()) << id.status().message();
        ASSERT_EQ(*id, pick(all, logits)) << step;
      }
    }
  }
}

TEST(SamplerTest, CandidatesShowWhatIsWrongWithLogits) {
  std::vector<float> logits = {1, NAN, 3, -INFINITY, NAN, 3, 0.0f, -0.0f};
  std::vector<int32_t> ids;
  for (const Candidate &candidate :
       selectCandidates(logits.data(), logits.size(), 100)) {
    ids.push_back(candidate.id);
  }
  EXPECT_EQ(ids, (std::vector<int32_t>{1, 4, 2, 5, 0, 6, 7, 3}));
  SamplerOptions options;
  options.topK = 1;
  Sampler sampler = make(options);
  auto first = selectCandidates(logits.data(), logits.size(), 1);
  auto id = sampler.sampleCandidates(first.data(), first.size());
  ASSERT_FALSE(id.ok());
  EXPECT_EQ(id.status().message(),
            sampler.sample(logits.data(), logits.size()).status().message());
}

} // namespace
