// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conformance: low-rank adapters that are loaded, swapped and blended.
// UMBER_CTS_ADAPTERS names some that fit the packages, all different; paths are
// separated by ':'.

#include "runtime/cts/Fixture.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>
#include <unistd.h>

using namespace umber::cts;

namespace {

using AdapterHandle = std::shared_ptr<umber_adapter>;

class AdapterTest : public RuntimeTest {
protected:
  void SetUp() override {
    RuntimeTest::SetUp();
    const char *variable = std::getenv("UMBER_CTS_ADAPTERS");
    std::stringstream list(variable ? variable : "");
    for (std::string path; std::getline(list, path, ':');) {
      paths.push_back(path);
    }
    if (paths.size() < 3) {
      GTEST_SKIP() << "UMBER_CTS_ADAPTERS names fewer than 3 adapters";
    }
    umber_adapter *probe = nullptr;
    if (umber_adapter_load(model.get(), paths[0].c_str(), &probe, &error) ==
        UMBER_UNSUPPORTED) {
      GTEST_SKIP() << error.message;
    }
    umber_adapter_unload(probe);
    for (const std::string &path : paths) {
      adapters.push_back(loadAdapter(path));
      ASSERT_TRUE(adapters.back());
    }
  }

  AdapterHandle loadAdapter(const std::string &path) {
    umber_adapter *adapter = nullptr;
    UMBER_EXPECT_OK(
        umber_adapter_load(model.get(), path.c_str(), &adapter, &error));
    return AdapterHandle(adapter, umber_adapter_unload);
  }

  /// Makes adapters active, by their numbers.
  void use(const SessionHandle &session, const std::vector<size_t> &which,
           std::vector<float> scales = {}) {
    std::vector<umber_adapter *> handles;
    for (size_t number : which) {
      handles.push_back(adapters[number].get());
    }
    scales.resize(which.size(), 1.0f);
    UMBER_EXPECT_OK(umber_session_set_adapters(
        session.get(), handles.data(), scales.data(), handles.size(), &error));
  }

  /// What a session that has only ever had these adapters makes of a prompt.
  Logits cold(const std::vector<size_t> &which, const Ids &ids) {
    SessionHandle session = open(model);
    use(session, which);
    return prefill(session, ids);
  }

  int32_t keepPrefix(const SessionHandle &session, const Ids &ids) {
    int32_t kept = -1;
    UMBER_EXPECT_OK(umber_session_keep_prefix(session.get(), ids.data(),
                                              ids.size(), &kept, &error));
    return kept;
  }

  umber_error error = {};
  std::vector<std::string> paths;
  std::vector<AdapterHandle> adapters;
};

/// Of this process' resident memory; 0 where the system does not say.
size_t residentPages() {
  std::ifstream statm("/proc/self/statm");
  size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident;
}

TEST_P(AdapterTest, EachHasItsOwnResults) {
  Ids ids = someIds(9);
  std::vector<Logits> all = {cold({}, ids)};
  for (size_t i = 0; i < adapters.size(); ++i) {
    all.push_back(cold({i}, ids));
    for (size_t j = 0; j <= i; ++j) {
      expectDifferent(all[i + 1], all[j]);
    }
  }
  EXPECT_EQ(cold({1}, ids), all[2]);
}

TEST_P(AdapterTest, OneChunkEqualsTokenByToken) {
  Ids ids = someIds(2 * info.max_batch + 3);
  SessionHandle single = open(model);
  use(single, {0, 2}, {1.5f, -0.5f});
  Logits last;
  for (int32_t id : ids) {
    last = decode(single, id);
  }
  for (int32_t threads : {1, 2, 3}) {
    model = load(threads);
    adapters = {loadAdapter(paths[0]), nullptr, loadAdapter(paths[2])};
    SessionHandle whole = open(model);
    use(whole, {0, 2}, {1.5f, -0.5f});
    EXPECT_EQ(prefill(whole, ids), last) << threads;
  }
}

TEST_P(AdapterTest, AThousandSwapsLeaveNothing) {
  Ids ids = someIds(5);
  std::vector<Logits> expected;
  for (size_t i = 0; i < adapters.size(); ++i) {
    expected.push_back(cold({i}, ids));
  }
  SessionHandle session = open(model);
  size_t before = 0;
  for (int swap = 0; swap < 1000; ++swap) {
    size_t which = size_t(swap * 7 % 11) % adapters.size();
    umber_session_reset(session.get());
    use(session, {which});
    prefill(session, Ids(ids.begin(), ids.end() - 1));
    ASSERT_EQ(decode(session, ids.back()), expected[which]) << swap;
    if (swap == 100) {
      before = residentPages();
    }
  }
  EXPECT_LE(residentPages(),
            before + (size_t(1) << 20) / sysconf(_SC_PAGESIZE));
}

TEST_P(AdapterTest, SwapsBetweenTokensOfASession) {
  auto generate = [&](bool isFresh) {
    SessionHandle session = open(model);
    std::vector<Logits> all;
    Ids ids = someIds(12, 3);
    for (size_t i = 0; i < ids.size(); ++i) {
      if (i % 3 == 0 || isFresh) {
        use(session,
            i / 3 % 2 ? std::vector<size_t>{1} : std::vector<size_t>{});
      }
      all.push_back(decode(session, ids[i]));
    }
    return all;
  };
  std::vector<Logits> swapped = generate(false);
  EXPECT_EQ(swapped, generate(true));
  // Tokens from before a swap stay what they were.
  EXPECT_EQ(swapped[2], cold({}, someIds(3, 3)));
  expectDifferent(swapped.back(), cold({}, someIds(12, 3)));
}

TEST_P(AdapterTest, APrefixIsReusedOnlyUnderItsAdapters) {
  Ids prefix = someIds(8, 5);
  SessionHandle session = open(model);
  std::vector<size_t> before = {99};
  // With and without adapters, and one after itself.
  for (std::vector<size_t> which :
       {std::vector<size_t>{}, {0}, {}, {}, {1}, {1}, {0, 1}, {1, 0}, {0}}) {
    Ids ids = prefix;
    ids.push_back(int32_t(which.size()) + 1);
    use(session, which);
    int32_t kept = keepPrefix(session, ids);
    EXPECT_EQ(kept, which == before ? int32_t(prefix.size()) : 0);
    Logits found = prefill(session, Ids(ids.begin() + kept, ids.end()));
    EXPECT_EQ(found, cold(which, ids));
    before = which;
  }
  // Another scale is another prefix; all tokens given leave one to compute.
  use(session, {0});
  keepPrefix(session, prefix);
  EXPECT_EQ(umber_session_position(session.get()), int32_t(prefix.size()) - 1);
  use(session, {0}, {0.5f});
  EXPECT_EQ(keepPrefix(session, prefix), 0);
}

TEST_P(AdapterTest, SavedSessionsKnowTheirAdapters) {
  Ids ids = someIds(7, 6);
  SessionHandle session = open(model);
  use(session, {0});
  prefill(session, ids);
  std::vector<char> state = writeState(session);
  SessionHandle restored = open(model);
  UMBER_EXPECT_OK(umber_session_read_state(restored.get(), state.data(),
                                           state.size(), &error));
  ids.push_back(1);
  EXPECT_EQ(keepPrefix(restored, ids), 0);
  UMBER_EXPECT_OK(umber_session_read_state(restored.get(), state.data(),
                                           state.size(), &error));
  use(restored, {0});
  EXPECT_EQ(keepPrefix(restored, ids), 7);
  EXPECT_EQ(decode(restored, 1), cold({0}, ids));
}

TEST_P(AdapterTest, SessionsOfABatchHaveTheirOwn) {
  std::vector<std::vector<size_t>> which = {{}, {0}, {0}, {1, 2}, {}, {2}};
  std::vector<SessionHandle> together, alone;
  for (size_t i = 0; i < which.size(); ++i) {
    for (auto *sessions : {&together, &alone}) {
      sessions->push_back(open(model));
      use(sessions->back(), which[i]);
      prefill(sessions->back(), someIds(3 + i, i));
    }
  }
  std::vector<umber_session *> handles;
  for (const SessionHandle &session : together) {
    handles.push_back(session.get());
  }
  for (int step = 0; step < 3; ++step) {
    Ids ids = someIds(which.size(), 50 + step);
    std::vector<const float *> rows(handles.size());
    UMBER_EXPECT_OK(umber_decode_batch(handles.data(), ids.data(), ids.size(),
                                       rows.data(), &error));
    for (size_t i = 0; i < which.size(); ++i) {
      EXPECT_EQ(Logits(rows[i], rows[i] + info.vocab), decode(alone[i], ids[i]))
          << "session " << i << ", step " << step;
    }
    // Alone again, the first has what it had.
    EXPECT_EQ(decode(together[0], 1), decode(alone[0], 1));
  }
  // A step of two without any, right after one with others' adapters, which the
  // first of both led.
  for (std::vector<size_t> batch : {std::vector<size_t>{0, 1}, {0, 4}}) {
    std::vector<umber_session *> few;
    for (size_t i : batch) {
      few.push_back(together[i].get());
    }
    Ids ids = someIds(few.size(), 60);
    std::vector<const float *> rows(few.size());
    UMBER_EXPECT_OK(umber_decode_batch(few.data(), ids.data(), ids.size(),
                                       rows.data(), &error));
    for (size_t i = 0; i < few.size(); ++i) {
      EXPECT_EQ(Logits(rows[i], rows[i] + info.vocab),
                decode(alone[batch[i]], ids[i]))
          << "session " << batch[i];
    }
  }
}

TEST_P(AdapterTest, LoadsWhileOthersDecode) {
  Ids ids = someIds(4);
  Logits expected = cold({}, ids);
  std::thread loader([&] {
    for (int i = 0; i < 20; ++i) {
      umber_adapter *adapter = nullptr;
      umber_error failed = {};
      EXPECT_EQ(umber_adapter_load(model.get(), paths[i % paths.size()].c_str(),
                                   &adapter, &failed),
                UMBER_OK)
          << failed.message;
      umber_adapter_unload(adapter);
    }
  });
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(cold({}, ids), expected);
  }
  loader.join();
}

TEST_P(AdapterTest, AreCachedOrNot) {
  umber_adapter_info first = UMBER_ADAPTER_INFO_INIT, again = first;
  UMBER_EXPECT_OK(umber_adapter_get_info(adapters[0].get(), &first, &error));
  EXPECT_GT(first.sites, 0);
  EXPECT_GT(first.rank, 0);
  EXPECT_GT(first.bytes, 0u);
  AdapterHandle cached = loadAdapter(paths[0]);
  UMBER_EXPECT_OK(umber_adapter_get_info(cached.get(), &again, &error));
  EXPECT_EQ(again.fingerprint, first.fingerprint);
  // A cache without room.
  Logits expected = cold({0}, someIds(3));
  umber_model_options options = UMBER_MODEL_OPTIONS_INIT;
  options.adapter_cache_bytes = 0;
  model = load(options);
  adapters = {loadAdapter(paths[0])};
  EXPECT_EQ(cold({0}, someIds(3)), expected);
}

TEST_P(AdapterTest, OutliveTheirHandles) {
  Ids ids = someIds(4);
  Logits expected = cold({0}, ids);
  SessionHandle session = open(model);
  use(session, {0});
  adapters.clear();
  model.reset();
  EXPECT_EQ(prefill(session, ids), expected);
}

TEST_P(AdapterTest, MistakesLeaveASessionAsItWas) {
  Ids ids = someIds(4);
  SessionHandle session = open(model);
  use(session, {0});
  umber_adapter *handle = adapters[1].get();
  float scale = NAN;
  UMBER_EXPECT_FAILS(
      UMBER_INVALID_ARGUMENT, "expected a finite scale",
      umber_session_set_adapters(session.get(), &handle, &scale, 1, &error));
  scale = 1.0f;
  UMBER_EXPECT_FAILS(
      UMBER_INVALID_ARGUMENT, "scales",
      umber_session_set_adapters(session.get(), &handle, nullptr, 1, &error));
  umber_adapter *null = nullptr;
  UMBER_EXPECT_FAILS(
      UMBER_INVALID_ARGUMENT, "adapters[0]",
      umber_session_set_adapters(session.get(), &null, &scale, 1, &error));
  ModelHandle other = load();
  SessionHandle foreign = open(other);
  UMBER_EXPECT_FAILS(
      UMBER_INVALID_ARGUMENT, "of another model",
      umber_session_set_adapters(foreign.get(), &handle, &scale, 1, &error));
  umber_adapter *none = nullptr;
  UMBER_EXPECT_FAILS(UMBER_NOT_FOUND, "/none",
                     umber_adapter_load(model.get(),
                                        (paths[0] + "/none").c_str(), &none,
                                        &error));
  EXPECT_EQ(none, nullptr);
  EXPECT_EQ(prefill(session, ids), cold({0}, ids));
}

UMBER_INSTANTIATE_ON_EVERY_DEVICE(AdapterTest);

} // namespace
