// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conformance: what a session remembers, forgets, refuses, and saves.

#include "runtime/cts/Fixture.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

using namespace umber::cts;

namespace {

TEST_P(RuntimeTest, FullContextIsAnErrorBeforeAnythingRuns) {
  SessionHandle session = open(model, 8);
  EXPECT_EQ(umber_session_context(session.get()), 8);
  Ids ids = someIds(9);
  UMBER_EXPECT_FAILS(
      UMBER_CONTEXT_FULL,
      "context full: 9 tokens do not fit, the session holds 0 "
      "of 8",
      umber_prefill(session.get(), ids.data(), ids.size(), nullptr, &error));
  EXPECT_EQ(umber_session_position(session.get()), 0);
  ids.pop_back();
  Logits full = prefill(session, ids);
  UMBER_EXPECT_FAILS(UMBER_CONTEXT_FULL, "context full",
                     umber_decode(session.get(), 1, nullptr, &error));
  EXPECT_EQ(umber_session_position(session.get()), 8);
  UMBER_EXPECT_OK(umber_session_truncate(session.get(), 7, &error));
  EXPECT_EQ(decode(session, ids[7]), full);
}

TEST_P(RuntimeTest, TokensOutOfRangeAreRefusedBeforeAnythingRuns) {
  SessionHandle session = open(model);
  Ids start = someIds(3);
  prefill(session, start);
  for (int32_t bad : {-1, info.vocab, INT32_MAX, INT32_MIN}) {
    Ids ids = {1, 2, bad};
    UMBER_EXPECT_FAILS(
        UMBER_INVALID_ARGUMENT, "token 2 is ",
        umber_prefill(session.get(), ids.data(), ids.size(), nullptr, &error));
    UMBER_EXPECT_FAILS(UMBER_INVALID_ARGUMENT, "token 0 is ",
                       umber_decode(session.get(), bad, nullptr, &error));
    EXPECT_EQ(umber_session_position(session.get()), 3);
  }
  start.push_back(1);
  EXPECT_EQ(decode(session, 1), prefill(open(model), start));
}

TEST_P(RuntimeTest, NoTokensAreRefused) {
  SessionHandle session = open(model);
  int32_t none = 0;
  UMBER_EXPECT_FAILS(UMBER_INVALID_ARGUMENT, "no tokens given",
                     umber_prefill(session.get(), &none, 0, nullptr, &error));
}

TEST_P(RuntimeTest, ContextHasAnUpperBound) {
  for (int32_t context : {-1, info.context_length + 1, INT32_MAX}) {
    umber_session_options options = UMBER_SESSION_OPTIONS_INIT;
    options.context = context;
    umber_session *session = nullptr;
    UMBER_EXPECT_FAILS(
        UMBER_INVALID_ARGUMENT, "context must be 1 to ",
        umber_session_create(model.get(), &options, &session, &error));
    EXPECT_EQ(session, nullptr);
  }
}

TEST_P(RuntimeTest, TruncatingForgets) {
  Ids kept = someIds(5, 1), dropped = someIds(6, 2), next = someIds(4, 3);
  SessionHandle session = open(model);
  prefill(session, kept);
  prefill(session, dropped);
  UMBER_EXPECT_OK(umber_session_truncate(session.get(), 5, &error));
  EXPECT_EQ(umber_session_position(session.get()), 5);
  Logits found = prefill(session, next);
  Ids expected = kept;
  expected.insert(expected.end(), next.begin(), next.end());
  EXPECT_EQ(found, prefill(open(model), expected));
  const int32_t *held = umber_session_tokens(session.get());
  EXPECT_EQ(Ids(held, held + expected.size()), expected);
  for (int32_t position : {-1, 10}) {
    UMBER_EXPECT_FAILS(UMBER_INVALID_ARGUMENT, "cannot truncate to ",
                       umber_session_truncate(session.get(), position, &error));
  }
}

TEST_P(RuntimeTest, ResettingForgetsEverything) {
  SessionHandle session = open(model);
  prefill(session, someIds(6, 1));
  umber_session_reset(session.get());
  EXPECT_EQ(umber_session_position(session.get()), 0);
  Ids ids = someIds(5, 2);
  EXPECT_EQ(prefill(session, ids), prefill(open(model), ids));
}

TEST_P(RuntimeTest, SessionsKeepTheirModelAlive) {
  ModelHandle other = load();
  SessionHandle session = open(other);
  other.reset();
  Ids ids = someIds(5);
  EXPECT_EQ(prefill(session, ids), prefill(open(model), ids));
}

TEST_P(RuntimeTest, StateMovesToAnotherSession) {
  Ids ids = someIds(11);
  SessionHandle saved = open(model);
  prefill(saved, ids);
  std::vector<char> state = writeState(saved);
  Logits expected = decode(saved, 4);
  // Another capacity, and something to forget.
  SessionHandle restored = open(model, 16);
  prefill(restored, someIds(3, 9));
  UMBER_EXPECT_OK(umber_session_read_state(restored.get(), state.data(),
                                           state.size(), &error));
  EXPECT_EQ(umber_session_position(restored.get()), 11);
  const int32_t *held = umber_session_tokens(restored.get());
  EXPECT_EQ(Ids(held, held + 11), ids);
  EXPECT_EQ(decode(restored, 4), expected);

  SessionHandle small = open(model, 10);
  UMBER_EXPECT_FAILS(UMBER_CONTEXT_FULL, "has room for 10",
                     umber_session_read_state(small.get(), state.data(),
                                              state.size(), &error));
  UMBER_EXPECT_FAILS(UMBER_INVALID_ARGUMENT, "the buffer has ",
                     umber_session_write_state(saved.get(), state.data(),
                                               state.size() - 1, &error));
}

TEST_P(RuntimeTest, StateOfAnotherCacheIsRefused) {
  SessionHandle saved = open(model);
  prefill(saved, someIds(4));
  std::vector<char> state = writeState(saved);
  for (const Subject &subject : subjects()) {
    if (subject.device != GetParam().device ||
        subject.package == GetParam().package) {
      continue;
    }
    SessionHandle victim = open(load(subject));
    Ids ids = someIds(3, 5);
    prefill(victim, ids);
    UMBER_EXPECT_FAILS(UMBER_INVALID_ARGUMENT, "session state: has a cache of ",
                       umber_session_read_state(victim.get(), state.data(),
                                                state.size(), &error));
    EXPECT_EQ(umber_session_position(victim.get()), 3);
    ids.push_back(2);
    EXPECT_EQ(decode(victim, 2), prefill(open(load(subject)), ids));
  }
}

TEST_P(RuntimeTest, EmptyStateIsAState) {
  std::vector<char> state = writeState(open(model));
  SessionHandle session = open(model);
  prefill(session, someIds(3));
  UMBER_EXPECT_OK(umber_session_read_state(session.get(), state.data(),
                                           state.size(), &error));
  EXPECT_EQ(umber_session_position(session.get()), 0);
}

TEST_P(RuntimeTest, DamagedStateIsRefused) {
  Ids ids = someIds(4);
  SessionHandle session = open(model);
  prefill(session, ids);
  std::vector<char> state = writeState(session);
  Ids other = someIds(3, 5);
  SessionHandle victim = open(model);
  prefill(victim, other);
  auto refuse = [&](const std::vector<char> &bytes) {
    umber_error error = {};
    EXPECT_NE(umber_session_read_state(victim.get(), bytes.data(), bytes.size(),
                                       &error),
              UMBER_OK);
    EXPECT_STRNE(error.message, "");
    EXPECT_EQ(umber_session_position(victim.get()), 3);
  };
  // Every byte of the header and the ids, and some of the cache.
  for (size_t at = 0; at < state.size();
       at += at < 80 ? 1 : state.size() / 50 + 1) {
    std::vector<char> damaged = state;
    damaged[at] ^= 0x10;
    refuse(damaged);
  }
  for (size_t size = 0; size < state.size(); size += state.size() / 50 + 1) {
    refuse(std::vector<char>(state.begin(), state.begin() + size));
  }
  std::vector<char> longer = state;
  longer.push_back(0);
  refuse(longer);
  // The victim still says what it would have said.
  other.push_back(2);
  EXPECT_EQ(decode(victim, 2), prefill(open(model), other));
}

/// Where a state's header has the hash of what follows it, and the cache's
/// type.
constexpr size_t kHashAt = 48, kTypeAt = 56, kHeaderBytes = 64;

/// Makes damage look intended.
void rehash(std::vector<char> &state) {
  uint64_t hash =
      XXH3_64bits(state.data() + kHeaderBytes, state.size() - kHeaderBytes);
  std::memcpy(state.data() + kHashAt, &hash, sizeof hash);
}

TEST_P(RuntimeTest, ForgedStateIsRefusedOrHarmless) {
  Ids ids = someIds(4);
  SessionHandle saved = open(model);
  prefill(saved, ids);
  const std::vector<char> state = writeState(saved);
  SessionHandle victim = open(model);
  prefill(victim, ids);

  for (int32_t id : {-1, info.vocab, INT32_MIN}) {
    std::vector<char> forged = state;
    std::memcpy(forged.data() + kHeaderBytes + 4, &id, sizeof id);
    rehash(forged);
    UMBER_EXPECT_FAILS(UMBER_CORRUPT_FILE, "token id ",
                       umber_session_read_state(victim.get(), forged.data(),
                                                forged.size(), &error));
  }
  for (uint32_t type : {2u, 77u, ~0u}) { // BF16, and none
    std::vector<char> forged = state;
    std::memcpy(forged.data() + kTypeAt, &type, sizeof type);
    UMBER_EXPECT_FAILS(UMBER_INVALID_ARGUMENT, "session state: has a cache of ",
                       umber_session_read_state(victim.get(), forged.data(),
                                                forged.size(), &error));
  }
  EXPECT_EQ(umber_session_position(victim.get()), 4);
  EXPECT_EQ(decode(victim, 3), decode(saved, 3));

  // Any bytes are elements and scales: the smallest integers, infinities, NaN.
  for (unsigned char byte : {0x00, 0x7c, 0x80, 0xff}) {
    std::vector<char> forged = state;
    std::fill(forged.begin() + kHeaderBytes + ids.size() * sizeof(int32_t),
              forged.end(), static_cast<char>(byte));
    rehash(forged);
    UMBER_EXPECT_OK(umber_session_read_state(victim.get(), forged.data(),
                                             forged.size(), &error));
    decode(victim, 3);
    EXPECT_EQ(umber_session_position(victim.get()), 5);
  }
  // None of which outlives its tokens.
  umber_session_reset(victim.get());
  EXPECT_EQ(prefill(victim, ids), prefill(open(model), ids));
}

TEST_P(RuntimeTest, FilesHoldSessions) {
  std::string path =
      testing::TempDir() + "umber-session-" + std::to_string(getpid());
  Ids ids = someIds(7);
  SessionHandle saved = open(model);
  prefill(saved, ids);
  UMBER_EXPECT_OK(umber_session_save(saved.get(), path.c_str(), &error));
  SessionHandle restored = open(model);
  UMBER_EXPECT_OK(umber_session_restore(restored.get(), path.c_str(), &error));
  EXPECT_EQ(decode(restored, 3), decode(saved, 3));

  std::ofstream(path, std::ios::binary) << "not a session";
  UMBER_EXPECT_FAILS(
      UMBER_CORRUPT_FILE, path + ": session state: has 13 bytes",
      umber_session_restore(restored.get(), path.c_str(), &error));
  std::ofstream(path, std::ios::binary | std::ios::trunc).close();
  UMBER_EXPECT_FAILS(
      UMBER_CORRUPT_FILE, path,
      umber_session_restore(restored.get(), path.c_str(), &error));
  std::remove(path.c_str());
  UMBER_EXPECT_FAILS(
      UMBER_NOT_FOUND, path,
      umber_session_restore(restored.get(), path.c_str(), &error));
  UMBER_EXPECT_FAILS(
      UMBER_IO_ERROR, "/no/such/folder/session",
      umber_session_save(saved.get(), "/no/such/folder/session", &error));
}

TEST_P(RuntimeTest, NullArgumentsAreRefused) {
  SessionHandle session = open(model);
  umber_session *created = nullptr;
  umber_model_info values = UMBER_MODEL_INFO_INIT;
  UMBER_EXPECT_FAILS(UMBER_INVALID_ARGUMENT, "model is null",
                     umber_session_create(nullptr, nullptr, &created, &error));
  UMBER_EXPECT_FAILS(
      UMBER_INVALID_ARGUMENT, "session is null",
      umber_session_create(model.get(), nullptr, nullptr, &error));
  UMBER_EXPECT_FAILS(UMBER_INVALID_ARGUMENT, "ids is null",
                     umber_prefill(session.get(), nullptr, 1, nullptr, &error));
  UMBER_EXPECT_FAILS(UMBER_INVALID_ARGUMENT, "callback is null",
                     umber_prefill_all(session.get(), &info.vocab, 1, nullptr,
                                       nullptr, &error));
  UMBER_EXPECT_FAILS(UMBER_INVALID_ARGUMENT, "session is null",
                     umber_decode(nullptr, 1, nullptr, &error));
  values.struct_size = 0;
  UMBER_EXPECT_FAILS(UMBER_INVALID_ARGUMENT, "struct_size",
                     umber_model_get_info(model.get(), &values, &error));
  // No place for the message is no reason to fail otherwise.
  EXPECT_EQ(umber_decode(nullptr, 1, nullptr, nullptr), UMBER_INVALID_ARGUMENT);
  umber_model_destroy(nullptr);
  umber_session_destroy(nullptr);
}

} // namespace
