// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conformance: what a device that measures its dispatches tells of them. One
// that does not has no rows and records no events.

#include "runtime/cts/Fixture.h"

using namespace umber::cts;

namespace {

class ProfileTest : public RuntimeTest {
protected:
  std::vector<umber_dispatch_profile> rows(const SessionHandle &session) {
    std::vector<umber_dispatch_profile> list;
    for (size_t i = 0; i < umber_session_profile_count(session.get()); ++i) {
      umber_dispatch_profile row = UMBER_DISPATCH_PROFILE_INIT;
      UMBER_EXPECT_OK(
          umber_session_profile_get(session.get(), i, &row, &error));
      list.push_back(row);
    }
    return list;
  }

  std::vector<umber_trace_event> events(const SessionHandle &session) {
    std::vector<umber_trace_event> list;
    for (size_t i = 0; i < umber_session_trace_count(session.get()); ++i) {
      umber_trace_event event = UMBER_TRACE_EVENT_INIT;
      UMBER_EXPECT_OK(
          umber_session_trace_get(session.get(), i, &event, &error));
      list.push_back(event);
    }
    return list;
  }

  void startTrace(const SessionHandle &session, size_t capacity) {
    UMBER_EXPECT_OK(umber_session_set_tracing(session.get(), capacity, &error));
  }

  /// How many events a decode step makes.
  size_t eventsOfOneStep() {
    SessionHandle session = open(model);
    startTrace(session, 1 << 16);
    decode(session, 1);
    return umber_session_trace_count(session.get());
  }
};

TEST_P(ProfileTest, CountsWhatIsRead) {
  SessionHandle session = open(model);
  prefill(session, someIds(2));
  umber_session_set_profiling(session.get(), 1);
  decode(session, 1);
  decode(session, 2);
  uint64_t cacheBytes = 0, ops = 0;
  for (const umber_dispatch_profile &row : rows(session)) {
    EXPECT_EQ(row.weight_bytes_read, row.runs * row.weight_bytes) << row.name;
    EXPECT_GE(row.integer_ops + row.float_ops, row.runs * row.flops_per_token)
        << row.name;
    cacheBytes += row.cache_bytes_read;
    ops += row.integer_ops + row.float_ops;
  }
  if (umber_session_profile_count(session.get()) > 0) {
    // The third token sees three, the fourth four.
    EXPECT_EQ(cacheBytes, (3 + 4) * info.cache_bytes_per_token);
    EXPECT_GT(ops, 0u);
  }
}

TEST_P(ProfileTest, LogitsThatNobodyWantsReadNothing) {
  SessionHandle session = open(model);
  umber_session_set_profiling(session.get(), 1);
  prefill(session, someIds(2));
  uint64_t with = 0, without = 0;
  for (const umber_dispatch_profile &row : rows(session)) {
    with += row.weight_bytes_read;
  }
  umber_session_set_profiling(session.get(), 1);
  Ids ids = someIds(2);
  UMBER_EXPECT_OK(
      umber_prefill(session.get(), ids.data(), ids.size(), nullptr, &error));
  for (const umber_dispatch_profile &row : rows(session)) {
    without += row.weight_bytes_read;
  }
  if (umber_session_profile_count(session.get()) > 0) {
    EXPECT_GT(without, 0u);
    EXPECT_LT(without, with);
  }
}

TEST_P(ProfileTest, TraceIsOffUntilAskedFor) {
  SessionHandle session = open(model);
  decode(session, 1);
  EXPECT_EQ(umber_session_trace_count(session.get()), 0u);
  startTrace(session, 1 << 16);
  decode(session, 1);
  startTrace(session, 0);
  decode(session, 1);
  EXPECT_EQ(umber_session_trace_count(session.get()), 0u);
  EXPECT_EQ(umber_session_trace_dropped(session.get()), 0u);
  umber_trace_event event = UMBER_TRACE_EVENT_INIT;
  UMBER_EXPECT_FAILS(UMBER_NOT_FOUND, "does not exist",
                     umber_session_trace_get(session.get(), 0, &event, &error));
}

TEST_P(ProfileTest, TraceHasEveryDispatchOfEveryWorker) {
  SessionHandle session = open(model);
  startTrace(session, 1 << 16);
  umber_session_set_profiling(session.get(), 1);
  prefill(session, someIds(3));
  decode(session, 1);
  decode(session, 2);
  std::vector<umber_dispatch_profile> profile = rows(session);
  std::vector<umber_trace_event> trace = events(session);
  std::vector<uint64_t> runs(profile.size()), lastEnd(info.threads);
  for (const umber_trace_event &event : trace) {
    ASSERT_LT(event.dispatch, profile.size());
    ASSERT_GE(event.worker, 0);
    ASSERT_LT(event.worker, info.threads);
    EXPECT_LE(event.begin, event.end);
    EXPECT_LE(lastEnd[event.worker], event.begin);
    lastEnd[event.worker] = event.end;
    ++runs[event.dispatch];
    bool isPrompt = event.position == 0;
    EXPECT_EQ(event.tokens, isPrompt ? 3 : 1);
    EXPECT_TRUE(isPrompt || event.position == 3 || event.position == 4);
  }
  for (size_t i = 0; i < profile.size(); ++i) {
    EXPECT_EQ(runs[i], info.threads * profile[i].runs) << profile[i].name;
  }
  EXPECT_EQ(umber_session_trace_dropped(session.get()), 0u);
}

TEST_P(ProfileTest, TraceCountsWhatDoesNotFit) {
  size_t step = eventsOfOneStep();
  SessionHandle session = open(model);
  startTrace(session, step + step / 2);
  for (int32_t id : {1, 2, 3}) {
    decode(session, id);
  }
  EXPECT_EQ(umber_session_trace_count(session.get()), step);
  EXPECT_EQ(umber_session_trace_dropped(session.get()), 2 * step);
  for (const umber_trace_event &event : events(session)) {
    EXPECT_EQ(event.position, 0);
  }
  if (step > 0) {
    UMBER_EXPECT_FAILS(
        UMBER_OUT_OF_MEMORY, "trace",
        umber_session_set_tracing(session.get(), SIZE_MAX / 16, &error));
  }
}

} // namespace

namespace umber::cts {
UMBER_INSTANTIATE_ON_EVERY_DEVICE(ProfileTest);
} // namespace umber::cts
