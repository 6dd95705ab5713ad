// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the executor refuses of the vector unit's queue.

#include "test/Unit/NPU/ExecutorFixture.h"

using namespace umber;
using namespace umber::npu;

namespace {

TEST_F(ExecutorTest, RefusesTypesAndSizesThatVectorsDoNotTake) {
  EXPECT_EQ(refuse({add(0, 8)}), "rows: expected 1 or more, found 0");
  EXPECT_EQ(refuse({add(2, 0)}), "columns: expected 1 or more, found 0");
  EXPECT_EQ(
      refuse({with(add(), [](Elementwise &e) { e.a.type = DataType(9); })}),
      "a: expected i8 or i32 or f16 or f32, found type 9");
  EXPECT_EQ(
      refuse({with(add(), [](Elementwise &e) { e.op = ElementwiseOp(8); })}),
      "operation: expected 0 to 7, found 8");
  EXPECT_EQ(refuse({with(add(), [](Elementwise &e) { e.spread = Spread(5); })}),
            "spread: expected 0 to 4, found 5");
  EXPECT_EQ(
      refuse({with(add(), [](Elementwise &e) { e.spread = Spread::None; })}),
      "b: expected an operand, found none");
  EXPECT_EQ(
      refuse({with(add(), [](Elementwise &e) { e.op = ElementwiseOp::Copy; })}),
      "b: expected none of a copy, found an operand");

  Reduce reduce;
  reduce.a = at(0);
  reduce.d = at(1024);
  reduce.rows = reduce.columns = 2;
  reduce.op = ReduceOp::ArgMax;
  EXPECT_EQ(refuse({reduce}), "d: expected i32, found f32");
  reduce.op = ReduceOp(3);
  EXPECT_EQ(refuse({reduce}), "operation: expected 0 to 2, found 3");

  Normalize norm;
  norm.a = norm.d = at(0);
  norm.rows = norm.columns = 2;
  norm.heads = 0;
  EXPECT_EQ(refuse({norm}), "heads: expected 1 or more, found 0");

  Quantize quantize;
  quantize.a = at(0);
  quantize.d = at(1024, DataType::I8);
  quantize.scales = at(2048);
  quantize.rows = quantize.columns = 2;
  EXPECT_EQ(refuse({quantize}), "group: expected 1 or more, found 0");
  quantize.group = 2;
  EXPECT_TRUE(run({quantize}).ok());
  quantize.bits = 1;
  EXPECT_EQ(refuse({quantize}), "bits: expected 2 to 8, found 1");
  quantize.bits = 8;
  quantize.scales.type = DataType::F16;
  EXPECT_EQ(refuse({quantize}), "scales: expected f32, found f16");

  Dequantize dequantize;
  dequantize.a = at(0, DataType::I8);
  dequantize.scales = dequantize.d = at(1024);
  dequantize.rows = dequantize.columns = 2;
  EXPECT_EQ(refuse({dequantize}), "group: expected 1 or more, found 0");
  dequantize.group = 1;
  dequantize.a.type = DataType::F16;
  EXPECT_EQ(refuse({dequantize}), "a: expected i8, found f16");

  Rotate rotate;
  rotate.a = rotate.d = rotate.table = at(0);
  rotate.rows = 1;
  rotate.columns = 3;
  EXPECT_EQ(refuse({rotate}), "columns: expected an even number, found 3");

  SoftmaxStep softmax;
  softmax.a = softmax.d = softmax.state = softmax.factors = at(0);
  softmax.rows = softmax.columns = 2;
  softmax.rowsPerToken = 0;
  EXPECT_EQ(refuse({softmax}), "rows per token: expected 1 or more, found 0");
}

} // namespace
