// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The closed forms against SCALE-Sim's golden reports and by hand.

#include "runtime/drivers/npu/ArrayModel.h"
#include "test/Unit/NPU/Fixture.h"

using namespace umber;
using namespace umber::npu;

namespace {

int64_t getCycles(Dataflow dataflow, ProductShape shape) {
  SystolicArray array =
      std::get<SystolicArray>(getConfig("scalesim-32x32").array);
  array.dataflow = dataflow;
  return getSystolicCycles(array, shape);
}

// golden_trace_calc and the stall-free part of golden_trace_user_*.
TEST(SystolicCycles, AreThoseOfScaleSim) {
  EXPECT_EQ(getCycles(Dataflow::WeightStationary, {256, 128, 256}), 11199);
  EXPECT_EQ(getCycles(Dataflow::InputStationary, {256, 128, 256}), 14207);
  EXPECT_EQ(getCycles(Dataflow::OutputStationary, {256, 128, 256}), 10175);
  // AlexNet's first convolution.
  EXPECT_EQ(getCycles(Dataflow::WeightStationary, {55 * 55, 96, 363}), 112283);
}

TEST(CoreCycles, ArePassesOverColumnsRowsAndInner) {
  CoreArray array;
  array.cores = 16;
  array.columns = 16;
  array.rowsF16 = 16;
  array.rowsI8 = 32;
  array.inner = 1;
  array.fillCycles = 32;
  array.postCycles = 16;
  array.doubleBuffered = true;
  array.efficiency = 1;
  EXPECT_EQ(getCoreCycles(array, {1, 256, 1024}, true), 32 + 1024 + 16);
  EXPECT_EQ(getCoreCycles(array, {17, 257, 100}, true), 32 + 4 * 100 + 16);
  EXPECT_EQ(getCoreCycles(array, {17, 257, 100}, false), 32 + 2 * 100 + 16);
  array.doubleBuffered = false;
  EXPECT_EQ(getCoreCycles(array, {17, 257, 100}, true), 32 + 4 * 116);
  array.efficiency = 0.5;
  array.inner = 8;
  EXPECT_EQ(getCoreCycles(array, {1, 256, 100}, true), 32 + 2 * 13 + 16);
}

// 64 banks of 16-byte granules: ceil(rows / (64 / gcd(stride / 16, 64))).
TEST(ScratchpadConflicts, DependOnTheStride) {
  ScratchpadConfig scratchpad = getConfig("ane-a17-like").scratchpad;
  EXPECT_EQ(getConflictDepth(scratchpad, 16, 16), 1);
  EXPECT_EQ(getConflictDepth(scratchpad, 16, 64 * 16), 16);
  EXPECT_EQ(getConflictDepth(scratchpad, 16, 32 * 16), 8);
  EXPECT_EQ(getConflictDepth(scratchpad, 16, 65 * 16), 1);
  EXPECT_EQ(getConflictDepth(scratchpad, 128, 16), 2);
  // 20 rows of 8 granules, 16 at once, so that 64 banks have 4 of each; the
  // last access is of 4 rows.
  EXPECT_EQ(getScratchpadCycles(scratchpad, 20, 128, 65 * 16, 16), 2 + 1);
  EXPECT_EQ(getScratchpadCycles(scratchpad, 20, 128, 64 * 16, 16),
            2 * 16 + 1 * 4);
}

} // namespace
