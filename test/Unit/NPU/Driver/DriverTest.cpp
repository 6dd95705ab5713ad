// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/Unit/NPU/Driver/Fixture.h"

#include <thread>

using namespace umber;
using namespace umber::npu;

namespace {

using Logits = std::vector<float>;

TEST_F(DriverFixture, ComputesWhatTheProgramsSay) {
  auto model = load();
  EXPECT_EQ(model->maxTokens(), kRows);
  EXPECT_EQ(model->isa(), "ane-a17-like");
  auto state = open(*model);
  EXPECT_EQ(run(*state, {3}, 0), expectedLogits(3, 3));
  EXPECT_EQ(run(*state, {5}, 1), expectedLogits(3, 5));
  // A step of two is one of three with padding.
  Logits both = run(*state, {6, 1}, 2, 2);
  Logits sixth = expectedLogits(3, 6), first = expectedLogits(3, 1);
  sixth.insert(sixth.end(), first.begin(), first.end());
  EXPECT_EQ(both, sixth);
  // Anew, from tokens that are all in one step; and without logits.
  EXPECT_EQ(run(*state, {7, 2, 4}, 0), expectedLogits(7, 4));
  EXPECT_TRUE(run(*state, {1}, 3, 0).empty());
}

TEST_F(DriverFixture, SessionsHaveTheirOwnCacheAndLogits) {
  auto model = load();
  auto a = open(*model), b = open(*model);
  run(*a, {1}, 0);
  run(*b, {2}, 0);
  BatchRow rows[] = {{a.get(), 3, 1}, {b.get(), 4, 1}};
  const float *logits[2] = {};
  Status status = model->runBatch(rows, 2, logits);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(Logits(logits[0], logits[0] + kVocab), expectedLogits(1, 3));
  EXPECT_EQ(Logits(logits[1], logits[1] + kVocab), expectedLogits(2, 4));
  EXPECT_TRUE(model->runBatch(rows, 2, nullptr).ok());
}

TEST_F(DriverFixture, ThreadsTakeTurns) {
  auto model = load();
  std::vector<std::thread> threads;
  for (int32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      auto state = open(*model);
      run(*state, {t}, 0);
      for (int32_t i = 1; i < 10; ++i) {
        EXPECT_EQ(run(*state, {i % kVocab}, i), expectedLogits(t, i % kVocab));
      }
    });
  }
  for (std::thread &thread : threads) {
    thread.join();
  }
}

TEST_F(DriverFixture, CachesMoveBetweenSessions) {
  auto model = load();
  auto from = open(*model), to = open(*model, 50);
  run(*from, {6, 2}, 0);
  std::vector<char> saved(from->cacheBytes(2));
  EXPECT_EQ(saved.size(), 2 * 2 * kCached * sizeof(float));
  ASSERT_TRUE(from->readCache(2, saved.data()).ok());
  run(*to, {1, 1, 1}, 0);
  ASSERT_TRUE(to->writeCache(2, saved.data()).ok());
  EXPECT_EQ(run(*to, {4}, 2), expectedLogits(6, 4));
}

TEST_F(DriverFixture, AdaptersStandOneBehindTheOther) {
  auto model = load();
  Correction small = makeCorrection(1, 0.5f, 10);
  Correction large = makeCorrection(3, 2.0f, 20);
  auto first = loadAdapter(*model, small), second = loadAdapter(*model, large);
  EXPECT_EQ(first->bits(), 16);
  EXPECT_EQ(first->bytes(), uint64_t(2 * (kHidden + kVocab)));
  auto state = open(*model), other = open(*model);
  run(*state, {1}, 0);
  run(*other, {1}, 0);
  ASSERT_TRUE(state->setAdapters({{first, 1.0f}, {second, 0.25f}}).ok());
  EXPECT_EQ(run(*state, {2}, 1),
            expectedLogits(1, 2, {{small, 1.0f}, {large, 0.25f}}));
  EXPECT_EQ(run(*other, {2}, 1), expectedLogits(1, 2));
  ASSERT_TRUE(state->setAdapters({{second, -1.0f}}).ok());
  EXPECT_EQ(run(*state, {3}, 2), expectedLogits(1, 3, {{large, -1.0f}}));
  // Sessions with the same share an image, which no session takes along.
  ASSERT_TRUE(other->setAdapters({{second, -1.0f}}).ok());
  state.reset();
  EXPECT_EQ(run(*other, {3}, 2), expectedLogits(1, 3, {{large, -1.0f}}));
  ASSERT_TRUE(other->setAdapters({}).ok());
  EXPECT_EQ(run(*other, {3}, 3), expectedLogits(1, 3));
}

TEST_F(DriverFixture, AdaptersThatDoNotFitChangeNothing) {
  auto model = load();
  Correction kept = makeCorrection(3, 1.0f, 30);
  auto three = loadAdapter(*model, kept);
  auto two = loadAdapter(*model, makeCorrection(2, 1.0f, 40));
  auto state = open(*model);
  ASSERT_TRUE(state->setAdapters({{three, 1.0f}}).ok());
  Status status = state->setAdapters({{three, 1.0f}, {two, 1.0f}});
  EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
  EXPECT_EQ(status.message(),
            "adapters: expected ranks that add up to at most 4, for which the "
            "programs have room, found 5");
  EXPECT_EQ(run(*state, {2}, 0), expectedLogits(2, 2, {{kept, 1.0f}}));

  auto five = tryLoadAdapter(*model, makeCorrection(5, 1.0f, 50));
  ASSERT_FALSE(five.ok());
  EXPECT_EQ(five.status().message(),
            "expected a rank of at most 4, for which the programs have room, "
            "found 5 at l0.attn.q");
  Correction huge = makeCorrection(1, 1.0f, 60);
  huge.b[3] = 70000.0f;
  auto refused = tryLoadAdapter(*model, huge);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().message(),
            "l0.attn.q, B: expected values that f16 holds, found 70000.000000");
}

TEST_F(DriverFixture, ProgramsWithoutRoomForAdaptersTakeNone) {
  auto model = load([](Parts &parts) {
    parts.programs.adapterRank = 0;
    parts.programs.sites.clear();
  });
  EXPECT_EQ(run(*open(*model), {1}, 0), expectedLogits(1, 1));
  auto one = tryLoadAdapter(*model, makeCorrection(1, 1.0f, 70));
  ASSERT_FALSE(one.ok());
  EXPECT_EQ(one.status().message(),
            "expected a rank of at most 0, for which the programs have room, "
            "found 1 at l0.attn.q");
}

TEST_F(DriverFixture, VariantsAreTargets) {
  LoadOptions options;
  options.variant = "ane-a17-like";
  EXPECT_TRUE(tryLoad(nullptr, options).ok());
  options.variant = "edge-npu";
  expectRefused(StatusCode::NotFound,
                "has no target npu:edge-npu; there is: npu:ane-a17-like",
                nullptr, options);
  options.variant = "";
  expectRefused(StatusCode::NotFound,
                "has no target for a neural engine; there is: cpu",
                [](Parts &parts) { parts.meta.targets[0]->name = "cpu"; });
  expectRefused(StatusCode::NotFound,
                "expected one target npu:ENGINE, found several; there is: "
                "npu:ane-a17-like, npu:b",
                [](Parts &parts) {
                  parts.meta.targets.push_back(
                      std::make_unique<fbs::TargetT>());
                  parts.meta.targets.back()->name = "npu:b";
                });
  options.isa = "x86-64-v3";
  expectRefused(StatusCode::InvalidArgument,
                "the device npu has no instruction sets to choose from",
                nullptr, options);
  options.isa = "";
  options.adapterBits = 8;
  expectRefused(StatusCode::InvalidArgument,
                "the device npu has adapters of 16 bits, not of 8", nullptr,
                options);
  options.adapterBits = 16;
  options.threads = 257;
  expectRefused(StatusCode::InvalidArgument,
                "threads must be 1 to 256, not 257", nullptr, options);
}

} // namespace
