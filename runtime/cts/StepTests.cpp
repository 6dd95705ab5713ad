// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conformance: what tokens in and logits out mean.

#include "runtime/cts/Fixture.h"

#include <thread>

using namespace umber::cts;

namespace {

TEST_P(RuntimeTest, OneChunkEqualsTokenByToken) {
  // Two full steps and a rest.
  Ids ids = someIds(std::min(2 * info.max_batch + 3, info.context_length));
  SessionHandle whole = open(model);
  Logits last = prefill(whole, ids);
  std::vector<Logits> rows = prefillAll(open(model), ids);
  ASSERT_EQ(rows.size(), ids.size());

  SessionHandle single = open(model);
  Logits step;
  for (size_t i = 0; i < ids.size(); ++i) {
    step = decode(single, ids[i]);
    EXPECT_EQ(rows[i], step);
    ASSERT_EQ(umber_session_position(single.get()), int32_t(i + 1));
  }
  EXPECT_EQ(last, step);
  EXPECT_EQ(umber_session_position(whole.get()), int32_t(ids.size()));
}

TEST_P(RuntimeTest, EveryWidthOfStepGivesTheSame) {
  int32_t count = std::min(info.max_batch + 2, info.context_length);
  Ids ids = someIds(count, 3);
  Logits expected = prefill(open(model), ids);
  for (int32_t width : {2, 3, 5, info.max_batch - 1, info.max_batch}) {
    SessionHandle session = open(model);
    Logits last;
    for (int32_t at = 0; at < count; at += std::max(width, 1)) {
      int32_t end = std::min(at + std::max(width, 1), count);
      last = prefill(session, Ids(ids.begin() + at, ids.begin() + end));
    }
    EXPECT_EQ(last, expected);
  }
}

TEST_P(RuntimeTest, HistoryMatters) {
  // The same last token after different ones.
  Ids a = someIds(6, 1), b = someIds(6, 2);
  a.back() = b.back() = 1;
  Logits afterA = prefill(open(model), a);
  expectDifferent(afterA, prefill(open(model), b));
  // And bit for bit the same after the same ones.
  EXPECT_EQ(afterA, prefill(open(model), a));
}

TEST_P(RuntimeTest, LogitsAreOptional) {
  Ids ids = someIds(5);
  SessionHandle session = open(model);
  UMBER_EXPECT_OK(
      umber_prefill(session.get(), ids.data(), ids.size(), nullptr, &error));
  UMBER_EXPECT_OK(umber_decode(session.get(), 1, nullptr, &error));
  ids.push_back(1);
  ids.push_back(2);
  EXPECT_EQ(decode(session, 2), prefill(open(model), ids));
}

TEST_P(RuntimeTest, ThreadsDoNotChangeResults) {
  Ids ids = someIds(std::min(info.max_batch + 1, info.context_length - 1));
  Logits expected = prefill(open(model), ids);
  for (int32_t threads : {1, 3}) {
    ModelHandle other = load(threads);
    ASSERT_TRUE(other);
    SessionHandle session = open(other);
    EXPECT_EQ(prefill(session, ids), expected);
  }
}

TEST_P(RuntimeTest, WhereWeightsAreDoesNotChangeResults) {
  Ids ids = someIds(9);
  Logits expected = prefill(open(model), ids);
  for (int32_t weights :
       {UMBER_WEIGHTS_BEST, UMBER_WEIGHTS_MAPPED, UMBER_WEIGHTS_COPIED}) {
    umber_model_options options = UMBER_MODEL_OPTIONS_INIT;
    options.weights = weights;
    ModelHandle other = load(options);
    ASSERT_TRUE(other);
    SessionHandle session = open(other);
    Logits last;
    for (int32_t id : ids) {
      last = decode(session, id);
    }
    EXPECT_EQ(last, expected);
  }
}

TEST_P(RuntimeTest, UnknownPlacesOfWeightsAreRefused) {
  umber_model_options options = UMBER_MODEL_OPTIONS_INIT;
  umber_model *none = nullptr;
  for (int32_t weights : {-1, 3}) {
    options.weights = weights;
    UMBER_EXPECT_FAILS(
        UMBER_INVALID_ARGUMENT, "weights: expected 0, 1 or 2",
        umber_model_load(GetParam().package.c_str(), &options, &none, &error));
    EXPECT_EQ(none, nullptr);
  }
}

TEST_P(RuntimeTest, SessionsAreIndependent) {
  Ids a = someIds(7, 1), b = someIds(7, 2);
  Logits aloneA = prefill(open(model), a);
  Logits aloneB = prefill(open(model), b);
  SessionHandle first = open(model), second = open(model);
  Logits lastA, lastB;
  for (size_t i = 0; i < a.size(); ++i) {
    lastA = decode(first, a[i]);
    lastB = decode(second, b[i]);
  }
  EXPECT_EQ(lastA, aloneA);
  EXPECT_EQ(lastB, aloneB);
}

TEST_P(RuntimeTest, TwoThreadsWithTwoSessions) {
  // Bit for bit what each gets alone, whoever runs beside it.
  auto generate = [&](uint32_t seed) {
    SessionHandle session = open(model);
    std::vector<Logits> all = {prefill(session, someIds(9, seed))};
    for (int32_t id : someIds(20, seed + 100)) {
      all.push_back(decode(session, id));
    }
    return all;
  };
  std::vector<Logits> alone[2] = {generate(1), generate(2)};
  std::vector<Logits> together[2];
  std::thread threads[2];
  for (int i = 0; i < 2; ++i) {
    threads[i] = std::thread([&, i] { together[i] = generate(i + 1); });
  }
  for (int i = 0; i < 2; ++i) {
    threads[i].join();
    EXPECT_EQ(together[i], alone[i]);
  }
}

TEST_P(RuntimeTest, CallbackCanStop) {
  int32_t count = std::min(2 * info.max_batch, info.context_length);
  Ids ids = someIds(count);
  SessionHandle session = open(model);
  size_t calls = 0;
  auto stop = [](void *user, size_t, size_t, const float *) {
    ++*static_cast<size_t *>(user);
    return 1;
  };
  UMBER_EXPECT_OK(umber_prefill_all(session.get(), ids.data(), ids.size(), stop,
                                    &calls, &error));
  EXPECT_EQ(calls, 1u);
  int32_t position = umber_session_position(session.get());
  EXPECT_EQ(position, std::min(info.max_batch, count));
  // The session goes on from there.
  Ids expected(ids.begin(), ids.begin() + position);
  if (position < info.context_length) {
    expected.push_back(3);
    EXPECT_EQ(decode(session, 3), prefill(open(model), expected));
  }
}

TEST_P(RuntimeTest, ProfileCountsEveryDispatch) {
  SessionHandle session = open(model);
  size_t rows = umber_session_profile_count(session.get());
  umber_session_set_profiling(session.get(), 1);
  prefill(session, someIds(2));
  decode(session, 1);
  decode(session, 2);
  umber_session_set_profiling(session.get(), 0);
  decode(session, 3);
  uint64_t decodes = 0, all = 0;
  for (size_t i = 0; i < rows; ++i) {
    umber_dispatch_profile row = UMBER_DISPATCH_PROFILE_INIT;
    UMBER_EXPECT_OK(umber_session_profile_get(session.get(), i, &row, &error));
    all += row.runs;
    if (std::string(row.program) == "decode") {
      EXPECT_EQ(row.runs, 2u) << row.name;
      ++decodes;
    }
  }
  if (rows > 0) {
    EXPECT_GT(decodes, 0u);
    EXPECT_GT(all, 2 * decodes);
  }
  umber_dispatch_profile row = UMBER_DISPATCH_PROFILE_INIT;
  UMBER_EXPECT_FAILS(
      UMBER_NOT_FOUND, "does not exist",
      umber_session_profile_get(session.get(), rows, &row, &error));
}

} // namespace
