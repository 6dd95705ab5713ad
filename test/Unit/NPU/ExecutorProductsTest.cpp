// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the executor refuses of the queues of weights and of the matrix unit.

#include "test/Unit/NPU/ExecutorFixture.h"

using namespace umber;
using namespace umber::npu;

namespace {

TEST_F(ExecutorTest, RefusesTablesThatAreNotLoaded) {
  EXPECT_EQ(refuse({table(0), palette(3, 2)}),
            "table 1: expected a palette, found none");
  EXPECT_EQ(refuse({table(0), table(1, DataType::F16), palette(3, 2)}),
            "table 1: expected i8, found f16");
  EXPECT_TRUE(run({table(0), palette(2, 2)}).ok());
  EXPECT_EQ(
      refuse({with(palette(3, 2), [](StreamWeights &w) { w.table = 63; })}),
      "tables: expected at most 64 slots, found slots 63 to 65");
  EXPECT_EQ(refuse({with(palette(3, 2),
                         [](StreamWeights &w) { w.rowsPerTable = 0; })}),
            "rows per table: expected 1 or more, found 0");
  EXPECT_EQ(refuse({with(table(60), [](LoadTable &t) { t.count = 5; })}),
            "slot: expected at most 64 slots, found slots 60 to 65");
  EXPECT_EQ(refuse({with(table(60), [](LoadTable &t) { t.entries = 257; })}),
            "entries: expected 1 to 256, found 257");
  EXPECT_EQ(refuse({table(0, DataType::F32)}),
            "type: expected i8 or f16, found f32");
}

TEST_F(ExecutorTest, RefusesWeightsThatItCannotDecode) {
  EXPECT_EQ(refuse({palette(2, 5)}),
            "bits: expected 1, 2, 3, 4, 6 or 8, found 5");
  EXPECT_EQ(refuse({with(palette(2, 4),
                         [](StreamWeights &w) { w.storageBits = 0; })}),
            "storage bits: expected 4, as small stores 4, found 0");
  config.decoder.threeBitStorage = 4;
  EXPECT_EQ(refuse({palette(2, 3)}),
            "storage bits: expected 4, as small stores 3, found 3");
  EXPECT_EQ(refuse({with(weights(2, 2), [](StreamWeights &w) { w.bits = 4; })}),
            "bits: expected 8 or 16, found 4");
  EXPECT_EQ(refuse({weights(0, 2)}), "rows: expected 1 to 65535, found 0");
  EXPECT_EQ(refuse({weights(2, 65536)}),
            "columns: expected 1 to 65535, found 65536");
  EXPECT_EQ(refuse({weights(65535, 65535)}),
            "kernel slot: expected at most 2048 bytes, found 4294836225");
  EXPECT_EQ(refuse({with(weights(2, 2), [](StreamWeights &w) { w.slot = 2; })}),
            "kernel slot: expected a number below 2, found 2");
}

TEST_F(ExecutorTest, RefusesProductsOfOtherWeights) {
  EXPECT_EQ(refuse({product()}),
            "kernel slot: expected weights of 8 x 8, found none");
  EXPECT_EQ(refuse({weights(8, 7), product()}),
            "kernel slot: expected weights of 8 x 8, found 8 x 7");
  EXPECT_EQ(refuse({with(product(), [](Multiply &m) { m.slot = 2; })}),
            "kernel slot: expected a number below 2, found 2");
  EXPECT_TRUE(run({weights(8, 8), product()}).ok());
  auto integers = [](Multiply &m) {
    m.a.type = DataType::I8;
    m.group = 4;
    m.scales = at(512);
  };
  EXPECT_TRUE(run({weights(8, 8), with(product(), integers)}).ok());
  EXPECT_EQ(refuse({with(weights(8, 8), [](StreamWeights &w) { w.bits = 16; }),
                    with(product(), integers)}),
            "kernel slot: expected weights of i8, as a is, found f16");
  EXPECT_EQ(refuse({weights(8, 8), with(product(),
                                        [&](Multiply &m) {
                                          integers(m);
                                          m.group = 0;
                                        })}),
            "group: expected 1 or more, found 0");
  EXPECT_EQ(
      refuse({weights(8, 8),
              with(product(), [&](Multiply &m) { m.c.type = DataType::I8; })}),
      "c: expected f16 or f32, found i8");
}

TEST_F(ExecutorTest, RefusesSumsThatAreNotThere) {
  auto part = [](bool isFirst, bool isLast, uint32_t rows) {
    return with(product(), [&](Multiply &m) {
      m.isFirst = isFirst;
      m.isLast = isLast;
      m.rows = rows;
    });
  };
  StreamWeights w = weights(8, 8);
  EXPECT_EQ(refuse({w, part(false, true, 2)}),
            "accumulators: expected sums of 2 x 8, found none");
  EXPECT_EQ(refuse({w, part(true, false, 3), part(false, true, 2)}),
            "accumulators: expected sums of 2 x 8, found 3 x 8");
  EXPECT_TRUE(run({w, part(true, false, 3), part(false, true, 3)}).ok());
  // They have left the array.
  EXPECT_EQ(refuse({w, part(true, false, 3), part(false, true, 3),
                    part(false, true, 3)}),
            "accumulators: expected sums of 3 x 8, found none");
  // The array keeps 1024 sums, but a whole product can be larger.
  config.scratchpad.accumulatorBytes = 96;
  EXPECT_TRUE(run({w, part(true, true, 4)}).ok());
  EXPECT_EQ(refuse({w, part(true, false, 4)}),
            "accumulators: expected at most 96 bytes, found 128");
}

TEST_F(ExecutorTest, RefusesTypesThatDynamicProductsDoNotTake) {
  MultiplyDynamic dynamic;
  dynamic.a = dynamic.b = at(0);
  dynamic.c = at(1024);
  dynamic.rows = dynamic.columns = dynamic.inner = 2;
  EXPECT_TRUE(run({dynamic}).ok());
  dynamic.hasScales = true;
  EXPECT_EQ(refuse({dynamic}), "b: expected i8 or f16, found f32");
}

} // namespace
