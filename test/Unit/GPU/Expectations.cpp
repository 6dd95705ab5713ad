// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What every driver of GPUs does with the package of the tests.

#include "test/Unit/GPU/Fixture.h"

#include <random>
#include <thread>

using namespace umber;
using namespace umber::test;

namespace {

std::unique_ptr<DeviceState> open(const DeviceModel &model,
                                  int32_t capacity = 100) {
  Result<std::unique_ptr<DeviceState>> state = model.createState(capacity);
  if (!state.ok()) {
    ADD_FAILURE() << state.status().message();
    return nullptr;
  }
  return std::move(*state);
}

std::vector<int32_t> someIds(size_t count, uint32_t seed) {
  std::minstd_rand random(seed);
  std::vector<int32_t> ids(count);
  for (int32_t &id : ids) {
    id = int32_t(random() % kVocab);
  }
  return ids;
}

/// Runs steps of `tokens` ids, each with logits of all rows, of which a
/// reference must have the same. Integers below 2^24 are exact in f32, whatever
/// the order of sums.
void expectSteps(DeviceState &state, Reference &reference, int32_t &position,
                 const std::vector<int32_t> &ids, size_t tokens) {
  for (size_t first = 0; first < ids.size(); first += tokens) {
    auto count = int32_t(std::min(tokens, ids.size() - first));
    Step step = {ids.data() + first, count, position, count};
    const float *rows = nullptr;
    Status status = state.run(step, &rows);
    ASSERT_TRUE(status.ok()) << status.message();
    ASSERT_NE(rows, nullptr);
    for (int32_t row = 0; row < count; ++row) {
      std::vector<float> found(rows + row * kVocab, rows + (row + 1) * kVocab);
      EXPECT_EQ(found, reference.add(ids[first + row]))
          << "position " << position + row;
    }
    position += count;
  }
}

} // namespace

void umber::test::expectStepsAsReference(const DeviceModel &model) {
  EXPECT_EQ(model.maxTokens(), kMaxTokens);
  EXPECT_STREQ(model.cacheLayout(), "heads");
  EXPECT_EQ(model.weightBytes(), sizeof kEmbed + sizeof kProject);
  for (size_t tokens : {1, 2, 3, 4}) {
    auto state = open(model);
    Reference reference;
    int32_t position = 0;
    expectSteps(*state, reference, position, someIds(11, 1), tokens);
    // From here on again, over what was there.
    expectSteps(*state, reference, position, someIds(3, 2), 1);
  }
  // The last rows alone, or none.
  auto state = open(model);
  Reference reference;
  std::vector<int32_t> ids = someIds(4, 3);
  std::vector<std::vector<float>> all;
  for (int32_t id : ids) {
    all.push_back(reference.add(id));
  }
  for (int32_t outputs : {0, 1, 3}) {
    const float *rows = nullptr;
    ASSERT_TRUE(state->run({ids.data(), 4, 0, outputs}, &rows).ok());
    for (int32_t row = 0; row < outputs; ++row) {
      EXPECT_EQ(
          std::vector<float>(rows + row * kVocab, rows + (row + 1) * kVocab),
          all[4 - outputs + row]);
    }
  }
}

void umber::test::expectSavedAsReference(const DeviceModel &model) {
  auto state = open(model, 20);
  Reference reference;
  int32_t position = 0;
  expectSteps(*state, reference, position, someIds(9, 4), 4);
  std::vector<uint8_t> expected = reference.saved();
  ASSERT_GT(state->cacheBytes(position), expected.size());
  std::vector<uint8_t> saved(state->cacheBytes(position));
  ASSERT_TRUE(state->readCache(position, saved.data()).ok());
  // Values have scales, which nothing has written.
  EXPECT_EQ(saved.size() - expected.size(), size_t(9 * kHeads * 2));
  saved.resize(expected.size());
  EXPECT_EQ(saved, expected);
  // Another capacity, by which everything else lies elsewhere.
  auto other = open(model, 300);
  saved.resize(state->cacheBytes(position));
  ASSERT_TRUE(other->writeCache(position, saved.data()).ok());
  int32_t continued = position;
  Reference copy = reference;
  expectSteps(*other, copy, continued, someIds(5, 5), 2);
  expectSteps(*state, reference, position, someIds(5, 5), 3);
  // Nothing is something that can be saved, too.
  EXPECT_EQ(state->cacheBytes(0), 0u);
  EXPECT_TRUE(state->readCache(0, nullptr).ok());
}

static std::vector<ReferencePair> somePairs() {
  std::minstd_rand random(6);
  std::vector<ReferencePair> pairs;
  for (int32_t rank : {1, 2, 5}) {
    ReferencePair pair = {rank, rank == 2 ? 2.0f : 1.0f, {}, {}};
    auto fill = [&](std::vector<float> &values, size_t count) {
      for (size_t i = 0; i < count; ++i) {
        values.push_back(float(int(random() % 15) - 7));
      }
      // The largest of each row and column, so that scaling keeps integers.
      return values.size();
    };
    fill(pair.a, size_t(rank) * kInputs);
    fill(pair.b, size_t(rank) * kVocab);
    for (int32_t r = 0; r < rank; ++r) {
      pair.a[r * kInputs] = pair.b[r] = 127;
    }
    pairs.push_back(pair);
  }
  return pairs;
}

void umber::test::expectAdaptersAsReference(const DeviceModel &model,
                                            const Package &package) {
  std::vector<ReferencePair> pairs = somePairs();
  std::vector<std::shared_ptr<const DeviceAdapter>> adapters;
  ASSERT_EQ(model.adapterTarget(), package.meta().targets()->Get(0));
  for (const ReferencePair &pair : pairs) {
    struct Access : GpuFixture {
      using GpuFixture::fit;
      void TestBody() override {}
    };
    auto loaded = model.loadAdapter(Access::fit(package, pair));
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    EXPECT_EQ((*loaded)->bits(), 16);
    EXPECT_EQ((*loaded)->bytes(),
              uint64_t(pair.rank) * (4 + 2 * kInputs + 2 * kVocab));
    adapters.push_back(*loaded);
  }
  auto state = open(model);
  Reference reference;
  int32_t position = 0;
  using Which = std::vector<std::pair<size_t, float>>;
  for (const Which &which :
       {Which{{0, 1.0f}}, Which{}, Which{{1, 1.0f}, {2, -2.0f}},
        Which{{2, 0.0f}, {0, 3.0f}}, Which{{0, 1.0f}},
        Which{{0, 1.0f}, {1, 1.0f}, {2, 1.0f}}, Which{}}) {
    std::vector<ActiveAdapter> active;
    reference.active.clear();
    for (auto [index, scale] : which) {
      active.push_back({adapters[index], scale});
      ReferencePair pair = pairs[index];
      pair.scale *= scale;
      reference.active.push_back(pair);
    }
    Status status = state->setAdapters(active);
    ASSERT_TRUE(status.ok()) << status.message();
    expectSteps(*state, reference, position, someIds(5, 7), 3);
  }
  // They outlive their handles.
  ASSERT_TRUE(state->setAdapters({{adapters[1], 1.0f}}).ok());
  adapters.clear();
  reference.active = {pairs[1]};
  expectSteps(*state, reference, position, someIds(5, 8), 4);
}

void umber::test::expectBatchesAsReference(const DeviceModel &model) {
  std::vector<std::unique_ptr<DeviceState>> states;
  std::vector<Reference> references(3);
  std::vector<int32_t> positions(3);
  for (int i = 0; i < 3; ++i) {
    states.push_back(open(model, 10 + 60 * i));
    expectSteps(*states[i], references[i], positions[i],
                someIds(size_t(2 * i), uint32_t(i + 1)), 4);
    states[i]->setProfiling(true);
  }
  for (bool wantsLogits : {true, false, true}) {
    std::vector<BatchRow> rows;
    for (int i = 0; i < 3; ++i) {
      rows.push_back({states[i].get(), (i + 4) % kVocab, positions[i]++});
    }
    const float *logits[3] = {};
    Status status =
        model.runBatch(rows.data(), 3, wantsLogits ? logits : nullptr);
    ASSERT_TRUE(status.ok()) << status.message();
    for (int i = 0; i < 3; ++i) {
      std::vector<float> expected = references[i].add(rows[i].id);
      if (wantsLogits) {
        EXPECT_EQ(std::vector<float>(logits[i], logits[i] + kVocab), expected);
      }
    }
  }
  // The first state's profile has all of it.
  uint64_t runs[3] = {};
  for (int i = 0; i < 3; ++i) {
    for (size_t row = 0; row < states[i]->profileCount(); ++row) {
      runs[i] += states[i]->profile(row).runs;
    }
  }
  EXPECT_EQ(runs[0], 3u * 3 * 4);
  EXPECT_EQ(runs[1] + runs[2], 0u);
}

void umber::test::expectThreadsAsReference(const DeviceModel &model) {
  std::vector<std::thread> threads;
  for (uint32_t seed : {1, 2, 3, 4}) {
    threads.emplace_back([&, seed] {
      for (int round = 0; round < 3; ++round) {
        auto state = open(model, 30);
        Reference reference;
        int32_t position = 0;
        expectSteps(*state, reference, position, someIds(17, seed), 1 + round);
      }
    });
  }
  for (std::thread &thread : threads) {
    thread.join();
  }
}

void umber::test::expectProfile(const DeviceModel &model) {
  auto state = open(model);
  Reference reference;
  int32_t position = 0;
  expectSteps(*state, reference, position, someIds(3, 9), 3);
  state->setProfiling(true);
  expectSteps(*state, reference, position, someIds(2, 9), 1);
  ASSERT_EQ(state->profileCount(), 8u);
  for (size_t i = 0; i < 4; ++i) {
    // Of "decode", which is narrower.
    DispatchProfile row = state->profile(i);
    EXPECT_STREQ(row.program, "decode");
    EXPECT_EQ(row.runs, 2u);
    EXPECT_EQ(state->profile(4 + i).runs, 0u);
  }
  EXPECT_STREQ(state->profile(1).name, "remember");
  EXPECT_EQ(state->profile(1).layer, 0);
  // The fourth token sees four, the fifth five.
  EXPECT_EQ(state->profile(1).floatOps, uint64_t(6 * 9));
  EXPECT_EQ(state->profile(1).cacheBytesRead,
            uint64_t(2 * 9 * kHeads * (kRowBytes + 2)));
  EXPECT_EQ(state->profile(3).weightBytesRead, 2 * sizeof kProject);
  EXPECT_EQ(state->profile(3).floatOps, uint64_t(2 * 2 * kVocab));
  EXPECT_GT(state->profile(1).nanoseconds, 0u);
  // Nobody wants logits: nothing is read for them.
  state->setProfiling(true);
  int32_t id = 1;
  const float *none = nullptr;
  ASSERT_TRUE(state->run({&id, 1, position, 0}, &none).ok());
  EXPECT_EQ(state->profile(3).runs, 1u);
  EXPECT_EQ(state->profile(3).weightBytesRead, 0u);
}
