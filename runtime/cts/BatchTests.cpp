// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conformance: several sessions decoded together.

#include "runtime/cts/Fixture.h"

#include <algorithm>

using namespace umber::cts;

namespace {

class BatchTest : public RuntimeTest {
protected:
  /// Decodes ids[i] in sessions[i], and returns each session's logits.
  std::vector<Logits> decodeBatch(const std::vector<SessionHandle> &sessions,
                                  const Ids &ids) {
    std::vector<umber_session *> handles;
    for (const SessionHandle &session : sessions) {
      handles.push_back(session.get());
    }
    std::vector<const float *> rows(handles.size(), nullptr);
    UMBER_EXPECT_OK(umber_decode_batch(handles.data(), ids.data(), ids.size(),
                                       rows.data(), &error));
    std::vector<Logits> logits;
    for (const float *row : rows) {
      logits.push_back(row ? Logits(row, row + info.vocab) : Logits());
    }
    return logits;
  }

  /// A session for each length of prompt, with contexts that differ, too.
  std::vector<SessionHandle> openAll(const ModelHandle &model,
                                     const std::vector<size_t> &lengths) {
    std::vector<SessionHandle> sessions;
    for (size_t i = 0; i < lengths.size(); ++i) {
      int32_t least = static_cast<int32_t>(lengths[i]) + kSteps;
      int32_t longer =
          i % 3 == 0 ? info.context_length : least + 70 * int32_t(i % 3);
      sessions.push_back(open(model, std::min(longer, info.context_length)));
      if (lengths[i] > 0) {
        prefill(sessions.back(), someIds(lengths[i], i + 1));
      }
    }
    return sessions;
  }

  /// Step by step, a batch's logits are to the bit what each session gets
  /// alone.
  void expectEqualToSingle(const ModelHandle &model,
                           const std::vector<size_t> &lengths) {
    std::vector<SessionHandle> together = openAll(model, lengths);
    std::vector<SessionHandle> alone = openAll(model, lengths);
    for (int step = 0; step < kSteps; ++step) {
      Ids ids = someIds(lengths.size(), 100 + step);
      std::vector<Logits> found = decodeBatch(together, ids);
      for (size_t i = 0; i < lengths.size(); ++i) {
        ASSERT_EQ(found[i], decode(alone[i], ids[i]))
            << "session " << i << " of " << lengths.size() << ", step " << step;
        ASSERT_EQ(umber_session_position(together[i].get()),
                  umber_session_position(alone[i].get()));
      }
    }
    // What they leave behind is the same, too.
    for (size_t i = 0; i < lengths.size(); ++i) {
      EXPECT_EQ(writeState(together[i]), writeState(alone[i])) << i;
    }
  }

  static constexpr int kSteps = 3;
};

TEST_P(BatchTest, GivesWhatEachSessionGetsAlone) {
  for (int32_t threads : {1, 2, 3}) {
    ModelHandle model = load(threads);
    ASSERT_TRUE(model);
    expectEqualToSingle(model, {0});
    expectEqualToSingle(model, {5, 0});
    expectEqualToSingle(model, {1, 9, 3, 20});
    // Contexts so long, where the model has them, that drivers split them.
    size_t most = std::min(info.context_length - kSteps, 600);
    expectEqualToSingle(model, {most, 2, most / 2});
  }
}

TEST_P(BatchTest, TakesMoreSessionsThanAStepHasRows) {
  std::vector<size_t> lengths;
  for (int32_t i = 0; i < 2 * info.max_batch + 3; ++i) {
    lengths.push_back(i % 7);
  }
  expectEqualToSingle(model, lengths);
}

TEST_P(BatchTest, LogitsStayWithTheirSession) {
  std::vector<SessionHandle> sessions = openAll(model, {2, 4, 6});
  umber_session *handles[] = {sessions[0].get(), sessions[1].get(),
                              sessions[2].get()};
  Ids ids = {1, 2, 3};
  const float *rows[3] = {};
  UMBER_EXPECT_OK(
      umber_decode_batch(handles, ids.data(), ids.size(), rows, &error));
  Logits second(rows[1], rows[1] + info.vocab);
  Logits third(rows[2], rows[2] + info.vocab);
  decode(sessions[0], 5);
  sessions[0].reset();
  EXPECT_EQ(Logits(rows[1], rows[1] + info.vocab), second);
  decode(sessions[1], 5);
  EXPECT_EQ(Logits(rows[2], rows[2] + info.vocab), third);
}

TEST_P(BatchTest, LogitsAreOptional) {
  std::vector<SessionHandle> together = openAll(model, {2, 4});
  std::vector<SessionHandle> alone = openAll(model, {2, 4});
  umber_session *handles[] = {together[0].get(), together[1].get()};
  Ids ids = {1, 2};
  UMBER_EXPECT_OK(umber_decode_batch(handles, ids.data(), 2, nullptr, &error));
  for (int i = 0; i < 2; ++i) {
    decode(alone[i], ids[i]);
    EXPECT_EQ(decode(together[i], 7), decode(alone[i], 7));
  }
}

TEST_P(BatchTest, SessionsGoOnAlone) {
  // After a batch, prompts and single tokens are as ever.
  std::vector<SessionHandle> together = openAll(model, {3, 4});
  std::vector<SessionHandle> alone = openAll(model, {3, 4});
  decodeBatch(together, {1, 2});
  for (int i = 0; i < 2; ++i) {
    decode(alone[i], i + 1);
    Ids more = someIds(info.max_batch + 2, 50 + i);
    EXPECT_EQ(prefill(together[i], more), prefill(alone[i], more));
    EXPECT_EQ(decode(together[i], 3), decode(alone[i], 3));
  }
}

TEST_P(BatchTest, MistakesAreFoundBeforeAnythingRuns) {
  SessionHandle a = open(model), b = open(model, 4), c = open(model);
  SessionHandle other = open(load());
  prefill(a, someIds(2));
  prefill(b, someIds(4));
  const float *rows[3] = {};
  auto refuse = [&](umber_status status, const char *words,
                    std::vector<umber_session *> sessions, const Ids &ids) {
    UMBER_EXPECT_FAILS(status, words,
                       umber_decode_batch(sessions.data(), ids.data(),
                                          sessions.size(), rows, &error));
    EXPECT_EQ(umber_session_position(a.get()), 2);
    EXPECT_EQ(umber_session_position(b.get()), 4);
    EXPECT_EQ(umber_session_position(c.get()), 0);
    EXPECT_EQ(umber_session_position(other.get()), 0);
    EXPECT_EQ(rows[0], nullptr);
  };
  refuse(UMBER_CONTEXT_FULL, "session 1: context full: 1 tokens do not fit",
         {a.get(), b.get()}, {1, 1});
  refuse(UMBER_INVALID_ARGUMENT, "session 2: is session 0 again",
         {a.get(), c.get(), a.get()}, {1, 1, 1});
  refuse(UMBER_INVALID_ARGUMENT, "session 1: is of another model",
         {a.get(), other.get()}, {1, 1});
  refuse(UMBER_INVALID_ARGUMENT, "sessions[1] is null", {a.get(), nullptr},
         {1, 1});
  for (int32_t bad : {-1, info.vocab, INT32_MAX, INT32_MIN}) {
    refuse(UMBER_INVALID_ARGUMENT, "session 0: token 0 is ", {a.get()}, {bad});
  }
  umber_session *one = a.get();
  int32_t id = 1;
  UMBER_EXPECT_FAILS(UMBER_INVALID_ARGUMENT, "no sessions given",
                     umber_decode_batch(&one, &id, 0, rows, &error));
  UMBER_EXPECT_FAILS(UMBER_INVALID_ARGUMENT, "sessions is null",
                     umber_decode_batch(nullptr, &id, 1, rows, &error));
  UMBER_EXPECT_FAILS(UMBER_INVALID_ARGUMENT, "ids is null",
                     umber_decode_batch(&one, nullptr, 1, rows, &error));
  SessionHandle fresh = open(model);
  prefill(fresh, someIds(2));
  EXPECT_EQ(decodeBatch({a}, {6}).front(), decode(fresh, 6));
}

TEST_P(BatchTest, TheFirstSessionsProfileCountsTheStep) {
  std::vector<SessionHandle> sessions = openAll(model, {1, 2});
  size_t rows = umber_session_profile_count(sessions[0].get());
  for (const SessionHandle &session : sessions) {
    umber_session_set_profiling(session.get(), 1);
  }
  decodeBatch(sessions, {1, 2});
  uint64_t runs[2] = {};
  for (int i = 0; i < 2; ++i) {
    for (size_t row = 0; row < rows; ++row) {
      umber_dispatch_profile profile = UMBER_DISPATCH_PROFILE_INIT;
      UMBER_EXPECT_OK(
          umber_session_profile_get(sessions[i].get(), row, &profile, &error));
      runs[i] += profile.runs;
    }
  }
  EXPECT_EQ(runs[0] > 0, rows > 0);
  EXPECT_EQ(runs[1], 0u);
}

} // namespace

namespace umber::cts {
UMBER_INSTANTIATE_ON_EVERY_DEVICE(BatchTest);
} // namespace umber::cts
