// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Instructions of the vector unit's queue.

#include "test/Unit/NPU/RandomOperations.h"

using namespace umber;
using namespace umber::npu;

void RandomOperations::elementwise() {
  Elementwise made;
  int64_t rows = numbers.get(1, 6), columns = numbers.get(1, 40);
  made.rows = uint32_t(rows);
  made.columns = uint32_t(columns);
  made.op = ElementwiseOp(numbers.get(0, 7));
  bool isUnary = made.op == ElementwiseOp::Copy ||
                 made.op == ElementwiseOp::Silu ||
                 made.op == ElementwiseOp::GeluTanh;
  made.spread = Spread(numbers.get(isUnary ? 0 : 1, 4));
  if (made.op == ElementwiseOp::Copy) {
    made.spread = Spread::None;
  }
  auto any = [&] {
    return overlaps || made.op == ElementwiseOp::Copy
               ? numbers.pick({DataType::F32, DataType::F32, DataType::F16,
                               DataType::I8, DataType::I32})
               : pickFloat();
  };
  made.a = tile(any(), rows, columns);
  made.b = tile(any(), made.spread == Spread::Row ? 1 : rows,
                made.spread == Spread::Column ? 1 : columns);
  made.d = numbers.once(3) ? made.a : tile(any(), rows, columns);
  made.immediate = numbers.getFinite();
  add(Queue::Vector, made);
}

void RandomOperations::reduce() {
  Reduce made;
  int64_t rows = numbers.get(1, 6), columns = numbers.get(1, 40);
  made.rows = uint32_t(rows);
  made.columns = uint32_t(columns);
  made.op = ReduceOp(numbers.get(0, 2));
  made.a = tile(pickFloat(), rows, columns);
  made.d = tile(made.op == ReduceOp::ArgMax ? DataType::I32 : DataType::F32,
                rows, 1);
  add(Queue::Vector, made);
}

void RandomOperations::normalize() {
  Normalize made;
  int64_t rows = numbers.get(1, 4), columns = numbers.get(1, 24);
  int64_t heads = numbers.get(1, 3);
  made.rows = uint32_t(rows);
  made.columns = uint32_t(columns);
  made.heads = uint32_t(heads);
  made.hasGain = numbers.once(2);
  made.gain = place(DataType::F32, 4 * columns);
  made.epsilon = numbers.pick({0.0f, 1e-5f, 1e-6f});
  made.a = tile(pickFloat(), rows, heads * columns);
  made.d = numbers.once(2) ? made.a : tile(pickFloat(), rows, heads * columns);
  add(Queue::Vector, made);
}

void RandomOperations::quantize() {
  Quantize made;
  int64_t rows = numbers.get(1, 5), columns = numbers.get(1, 40);
  made.rows = uint32_t(rows);
  made.columns = uint32_t(columns);
  made.group = uint32_t(numbers.get(1, 45));
  made.bits = uint8_t(numbers.get(2, 8));
  made.a = tile(pickFloat(), rows, columns);
  made.d = tile(DataType::I8, rows, columns);
  made.scales =
      tile(DataType::F32, rows, (columns + made.group - 1) / made.group);
  add(Queue::Vector, made);
}

void RandomOperations::dequantize() {
  Dequantize made;
  int64_t rows = numbers.get(1, 5), columns = numbers.get(1, 40);
  made.rows = uint32_t(rows);
  made.columns = uint32_t(columns);
  made.group = uint32_t(numbers.get(1, 45));
  made.factor = numbers.getFinite();
  made.a = tile(DataType::I8, rows, columns);
  made.scales =
      tile(pickFloat(), rows, (columns + made.group - 1) / made.group);
  made.d = tile(pickFloat(), rows, columns);
  add(Queue::Vector, made);
}

void RandomOperations::rotate() {
  Rotate made;
  int64_t rows = numbers.get(1, 4), columns = 2 * numbers.get(1, 12);
  int64_t heads = numbers.get(1, 3);
  made.rows = uint32_t(rows);
  made.columns = uint32_t(columns);
  made.heads = uint32_t(heads);
  made.isInterleaved = numbers.once(2);
  made.a = tile(pickFloat(), rows, heads * columns);
  made.table = tile(DataType::F32, rows, columns);
  made.d = numbers.once(2) ? made.a : tile(pickFloat(), rows, heads * columns);
  add(Queue::Vector, made);
}

void RandomOperations::softmax() {
  SoftmaxStep made;
  int64_t rows = numbers.get(1, 8), columns = numbers.get(1, 30);
  made.rows = uint32_t(rows);
  made.columns = uint32_t(columns);
  made.rowsPerToken = uint32_t(numbers.get(1, 4));
  made.firstQuery = numbers.get(-5, 40);
  made.firstKey = numbers.get(-5, 40);
  auto pickPosition = [&]() -> Register {
    const KnownRegister *known = pickRegister(-100, 100, 1);
    return known && numbers.once(2) ? known->number : Register(0);
  };
  made.firstQueryFrom = pickPosition();
  made.firstKeyFrom = pickPosition();
  made.window = uint32_t(numbers.once(2) ? 0 : numbers.get(1, 20));
  made.softCap = numbers.once(3) ? float(numbers.get(1, 30)) : 0.0f;
  made.isFirst = numbers.once(2);
  made.a = tile(pickFloat(), rows, columns);
  made.d = numbers.once(2) ? made.a : tile(pickFloat(), rows, columns);
  made.state = tile(DataType::F32, rows, 2);
  made.factors = tile(DataType::F32, rows, 1);
  add(Queue::Vector, made);
}
