// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conformance: candidates are the largest logits, whoever selects them, and
// sampling from them is sampling from all.

#include "runtime/cts/Fixture.h"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace umber::cts;

namespace {

/// Ids of a row's logits: the largest first, of equal ones the smallest id,
/// what is not a number before all others.
Ids sortedIds(const Logits &logits) {
  Ids ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  std::stable_sort(ids.begin(), ids.end(), [&](int32_t a, int32_t b) {
    if (std::isnan(logits[a]) || std::isnan(logits[b])) {
      return std::isnan(logits[a]) && !std::isnan(logits[b]);
    }
    return logits[a] > logits[b];
  });
  return ids;
}

class CandidateTest : public RuntimeTest {
protected:
  const umber_candidate *candidates(const SessionHandle &session,
                                    const Ids &ids, int32_t wanted) {
    const umber_candidate *found = nullptr;
    UMBER_EXPECT_OK(umber_prefill_candidates(
        session.get(), ids.data(), ids.size(), wanted, &found, &error));
    return found;
  }

  /// As many as the device selects and as it does not, down to one and up to
  /// all.
  std::vector<int32_t> counts() const {
    std::vector<int32_t> all = {1, 2, info.candidates, info.candidates + 1,
                                info.vocab};
    for (int32_t &count : all) {
      count = std::clamp(count, 1, info.vocab);
    }
    return all;
  }

  void expectLargest(const Ids &ids) {
    Logits logits = prefill(open(model), ids);
    Ids sorted = sortedIds(logits);
    for (int32_t wanted : counts()) {
      SessionHandle session = open(model);
      const umber_candidate *found = candidates(session, ids, wanted);
      ASSERT_TRUE(found);
      EXPECT_EQ(umber_session_position(session.get()), int32_t(ids.size()));
      for (int32_t i = 0; i < wanted; ++i) {
        ASSERT_EQ(found[i].id, sorted[i]) << i << " of " << wanted;
        float logit = logits[sorted[i]];
        ASSERT_TRUE(found[i].logit == logit ||
                    (std::isnan(found[i].logit) && std::isnan(logit)));
      }
    }
  }
};

TEST_P(CandidateTest, AreTheLargestLogits) {
  EXPECT_LE(info.candidates, info.vocab);
  for (int32_t length : {1, 2, info.max_batch, info.max_batch + 1}) {
    expectLargest(someIds(std::min(length, info.context_length), length));
  }
}

TEST_P(CandidateTest, StandBesideLogits) {
  // Steps of either kind take turns on one session.
  SessionHandle session = open(model), other = open(model);
  for (int32_t id : someIds(6, 4)) {
    Logits expected = decode(other, id);
    if (id % 2 == 0) {
      EXPECT_EQ(sortedIds(decode(session, id)), sortedIds(expected));
      continue;
    }
    const umber_candidate *found = candidates(session, {id}, 1);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, sortedIds(expected).front());
  }
}

TEST_P(CandidateTest, AreSampledAsLogitsAre) {
  struct {
    float temperature;
    int32_t topK;
    float penalty;
  } const kinds[] = {{0, 40, 1}, {0.8f, 40, 1}, {2, 3, 1.3f},
                     {0, 1, 2},  {1, 0, 1},     {1, 5, 0.9f}};
  for (const auto &kind : kinds) {
    umber_sampler_options options = UMBER_SAMPLER_OPTIONS_INIT;
    options.temperature = kind.temperature;
    options.top_k = kind.topK;
    options.repeat_penalty = kind.penalty;
    options.repeat_last_n = 20;
    options.seed = 7;
    std::shared_ptr<umber_sampler> samplers[2];
    for (auto &sampler : samplers) {
      umber_sampler *created = nullptr;
      UMBER_EXPECT_OK(
          umber_sampler_create(model.get(), &options, &created, &error));
      sampler.reset(created, umber_sampler_destroy);
    }
    int32_t wanted = umber_sampler_candidates(samplers[0].get());
    SessionHandle whole = open(model), selected = open(model);
    int32_t id = 1;
    for (int step = 0; step < 5; ++step) {
      Logits logits = decode(whole, id);
      const umber_candidate *found = candidates(selected, {id}, wanted);
      ASSERT_TRUE(found);
      int32_t ids[2] = {-1, -1};
      umber_error error = {};
      umber_status statuses[2] = {
          umber_sampler_sample(samplers[0].get(), logits.data(), &ids[0],
                               &error),
          umber_sampler_sample_candidates(samplers[1].get(), found,
                                          size_t(wanted), &ids[1], &error)};
      ASSERT_EQ(statuses[0], statuses[1]) << error.message;
      ASSERT_EQ(ids[0], ids[1]) << "step " << step << ", top-k " << kind.topK;
      if (statuses[0] != UMBER_OK) {
        break; // A logit that is not a number, which both have seen.
      }
      id = ids[0];
    }
  }
}

TEST_P(CandidateTest, CountsAreChecked) {
  SessionHandle session = open(model);
  int32_t id = 1;
  const umber_candidate *found = nullptr;
  for (int32_t wanted : {-1, 0, info.vocab + 1}) {
    UMBER_EXPECT_FAILS(UMBER_INVALID_ARGUMENT, "candidates: expected 1 to ",
                       umber_prefill_candidates(session.get(), &id, 1, wanted,
                                                &found, &error));
  }
  UMBER_EXPECT_FAILS(
      UMBER_INVALID_ARGUMENT, "candidates",
      umber_prefill_candidates(session.get(), &id, 1, 1, nullptr, &error));
  EXPECT_EQ(found, nullptr);
  EXPECT_EQ(umber_session_position(session.get()), 0);
  umber_sampler *created = nullptr;
  UMBER_EXPECT_OK(umber_sampler_create(model.get(), nullptr, &created, &error));
  std::shared_ptr<umber_sampler> sampler(created, umber_sampler_destroy);
  const umber_candidate one = {0, 1};
  UMBER_EXPECT_FAILS(
      UMBER_INVALID_ARGUMENT,
      "sampler: expected at least 40 candidates, found 1",
      umber_sampler_sample_candidates(sampler.get(), &one, 1, &id, &error));
}

UMBER_INSTANTIATE_ON_EVERY_DEVICE(CandidateTest);

} // namespace
