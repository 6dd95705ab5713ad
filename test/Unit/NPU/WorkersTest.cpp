// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products that are large enough to be shared among threads.

#include "runtime/drivers/npu/sim/Executor.h"
#include "test/Unit/NPU/Fixture.h"
#include "test/Unit/NPU/RandomState.h"

#include <atomic>
#include <cstring>

using namespace umber;
using namespace umber::npu;

namespace {

TEST(Workers, CallEachOnce) {
  for (unsigned threads : {1u, 2u, 5u}) {
    Workers workers(threads);
    for (uint64_t elements : {uint64_t(1), uint64_t(1) << 40}) {
      std::vector<std::atomic<int>> calls(100);
      workers.run(calls.size(), elements, [&](size_t i) { ++calls[i]; });
      for (const std::atomic<int> &count : calls) {
        EXPECT_EQ(count, 1);
      }
    }
  }
}

TEST(Workers, DoNotChangeResults) {
  constexpr uint32_t kRows = 9, kColumns = 200, kInner = 300;
  Config config = getConfig("ane-a17-like");
  RandomNumbers numbers(3);
  std::vector<uint8_t> weights(kColumns * kInner);
  for (uint8_t &weight : weights) {
    weight = uint8_t(numbers.get(0, 255));
  }
  Program program(5);
  StreamWeights stream;
  stream.from.region = Region::Weights;
  stream.rows = kColumns;
  stream.columns = kInner;
  program[0].operation = stream;
  Multiply floats;
  floats.a = {{0, 0}, 4 * kInner + 16, DataType::F32};
  floats.c = {{1 << 20, 0}, 4 * kColumns, DataType::F32};
  floats.rows = kRows;
  floats.columns = kColumns;
  floats.inner = kInner;
  program[1].operation = floats;
  Multiply integers = floats;
  integers.a = {{1 << 17, 0}, 304, DataType::I8};
  integers.scales = {{0, 0}, 4 * kInner + 16, DataType::F32};
  integers.group = 32;
  integers.c.at.offset += 1 << 17;
  program[2].operation = integers;
  MultiplyDynamic dynamic;
  dynamic.a = floats.a;
  dynamic.b = {{1 << 17, 0}, 304, DataType::I8};
  dynamic.c = floats.c;
  dynamic.c.at.offset += 1 << 18;
  dynamic.rows = kRows;
  dynamic.columns = kColumns;
  dynamic.inner = kInner;
  dynamic.isTransposed = true;
  program[3].operation = dynamic;

  std::vector<uint8_t> initial(size_t(config.scratchpad.bytes));
  for (size_t at = 0; at < 1 << 17; at += 4) {
    float value = numbers.getFinite();
    std::memcpy(initial.data() + at, &value, 4);
  }
  for (size_t at = 1 << 17; at < 1 << 18; ++at) {
    initial[at] = uint8_t(numbers.get(0, 255));
  }
  std::vector<uint8_t> results[2];
  for (unsigned threads : {1u, 3u}) {
    Machine machine(config);
    machine.scratchpad = initial;
    machine.region(Region::Weights) = {weights.data(), weights.size()};
    Status status = execute(machine, Workers(threads), program, {});
    ASSERT_TRUE(status.ok()) << status.message();
    results[threads == 3] = machine.scratchpad;
  }
  EXPECT_NE(results[0], initial);
  EXPECT_EQ(results[0], results[1]);
}

} // namespace
