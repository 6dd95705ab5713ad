// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the executor refuses of any operand, and how it says so.

#include "test/Unit/NPU/ExecutorFixture.h"

using namespace umber;
using namespace umber::npu;

namespace {

TEST_F(ExecutorTest, RefusesAccessesBeyondTheScratchpad) {
  EXPECT_EQ(refuse({with(loadRows(64),
                         [](Load &l) { l.scratchpad.offset = 16384 - 48; })}),
            "scratchpad: expected at most the 16384 bytes of the scratchpad, "
            "found bytes 16336 to 16400");
  // The last row is as long as it is, not as its stride.
  EXPECT_TRUE(run({with(loadRows(32, 2), [](Load &l) {
                l.scratchpad.offset = 16384 - 96;
              })}).ok());
  EXPECT_EQ(refuse({with(loadRows(33, 2),
                         [](Load &l) { l.scratchpad.offset = 16384 - 96; })}),
            "scratchpad: expected at most the 16384 bytes of the scratchpad, "
            "found bytes 16288 to 16385");
  EXPECT_EQ(
      refuse({with(add(), [](Elementwise &e) { e.b.at.offset = 1 << 30; })}),
      "b: expected at most the 16384 bytes of the scratchpad, found "
      "bytes 1073741824 to 1073741920");
  // Sizes whose product has more than 64 bits.
  Elementwise large = add(UINT32_MAX, UINT32_MAX);
  large.a.stride = large.b.stride = large.d.stride = UINT32_MAX & ~15u;
  EXPECT_EQ(refuse({large}),
            "a: expected at most the 16384 bytes of the scratchpad, found "
            "bytes 0 to 18446744013580009500");
  Normalize norm;
  norm.a = norm.d = at(0);
  norm.rows = 1;
  norm.columns = norm.heads = UINT32_MAX;
  EXPECT_EQ(refuse({norm}),
            "a: expected at most the 16384 bytes of the scratchpad, found "
            "bytes 0 to 73786976260478468100");
  norm.columns = 8;
  norm.heads = 1;
  norm.hasGain = true;
  norm.gain.offset = 16384 - 16;
  EXPECT_EQ(refuse({norm}),
            "gain: expected at most the 16384 bytes of the scratchpad, found "
            "bytes 16368 to 16400");
}

TEST_F(ExecutorTest, RefusesWhatIsNotOfWholeGranules) {
  EXPECT_EQ(refuse({with(add(), [](Elementwise &e) { e.d.at.offset = 8; })}),
            "d: expected a multiple of 16, found 8");
  EXPECT_EQ(refuse({with(add(), [](Elementwise &e) { e.a.stride = 40; })}),
            "a: expected a stride that is a multiple of 16, found 40");
  EXPECT_EQ(refuse({with(loadRows(8),
                         [](Load &l) { l.scratchpadPlaneStride = 24; })}),
            "scratchpad: expected a stride that is a multiple of 16, found 24");
  // A register's value counts.
  SetRegister set;
  set.to = 20;
  set.addend = 8;
  EXPECT_EQ(
      refuse({set, with(add(), [](Elementwise &e) { e.a.at.base = 20; })}),
      "a: expected a multiple of 16, found 8");
}

TEST_F(ExecutorTest, RefusesRowsThatOverlapWhereTheyAreWritten) {
  EXPECT_EQ(refuse({with(add(), [](Elementwise &e) { e.d.stride = 16; })}),
            "d: expected a stride of at least a row's 32 bytes, found 16");
  // One row has none behind it; a row that is read may repeat.
  Elementwise one = add(1);
  one.d.stride = 0;
  EXPECT_TRUE(run({one}).ok());
  Elementwise repeated = add();
  repeated.a.stride = 0;
  EXPECT_TRUE(run({repeated}).ok());
}

TEST_F(ExecutorTest, LeavesWhatEarlierInstructionsDid) {
  memory[unsigned(Region::Activations)][0] = 42;
  EXPECT_EQ(refuse({loadRows(16), add(0, 1)}),
            "rows: expected 1 or more, found 0");
  EXPECT_EQ(machine.scratchpad[0], 42);
}

TEST_F(ExecutorTest, TracesOnlyArraysOfCores) {
  Config gemmini = getConfig("gemmini-8x8");
  Machine other(gemmini, false);
  Program program(1);
  Result<Trace> traced = trace(other, Workers(), program, {});
  ASSERT_FALSE(traced.ok());
  EXPECT_EQ(traced.status().code(), StatusCode::Unsupported);
  EXPECT_EQ(traced.status().message(),
            "gemmini-8x8 runs no programs: it is no array of cores");
}

TEST_F(ExecutorTest, TracesOnlyArithmeticThatTheArrayHas) {
  std::get<CoreArray>(config.array).rowsF16 = 0;
  Program program(3);
  program[0].operation = weights(8, 8);
  program[1].operation = product();
  Result<Trace> traced = trace(machine, Workers(), program, {});
  ASSERT_FALSE(traced.ok());
  EXPECT_EQ(traced.status().code(), StatusCode::Unsupported);
  EXPECT_EQ(
      traced.status().message(),
      "instruction 1 (mm): small multiplies no f16 (array.rows_f16 is 0)");
}

} // namespace
