// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The vector unit: rows of elements, in F32 from memory and to memory.

#include "runtime/drivers/npu/sim/Clones.h"
#include "runtime/drivers/npu/sim/Math.h"
#include "runtime/drivers/npu/sim/Operations.h"
#include "runtime/drivers/npu/sim/Rows.h"

#include <algorithm>
#include <cmath>

using namespace umber;
using namespace umber::npu;

namespace {

/// a = op(a, b), and for activation functions op(a) * b if there is a b.
UMBER_NPU_CLONES void apply(ElementwiseOp op, bool hasB, float *a,
                            const float *b, uint64_t count) {
  switch (op) {
  case ElementwiseOp::Copy:
    return;
  case ElementwiseOp::Add:
    for (uint64_t i = 0; i < count; ++i) {
      a[i] = a[i] + b[i];
    }
    return;
  case ElementwiseOp::Subtract:
    for (uint64_t i = 0; i < count; ++i) {
      a[i] = a[i] - b[i];
    }
    return;
  case ElementwiseOp::Multiply:
    for (uint64_t i = 0; i < count; ++i) {
      a[i] = a[i] * b[i];
    }
    return;
  case ElementwiseOp::Divide:
    for (uint64_t i = 0; i < count; ++i) {
      a[i] = a[i] / b[i];
    }
    return;
  case ElementwiseOp::Maximum:
    for (uint64_t i = 0; i < count; ++i) {
      a[i] = getMaximum(a[i], b[i]);
    }
    return;
  case ElementwiseOp::Silu:
    for (uint64_t i = 0; i < count; ++i) {
      a[i] = getSilu(a[i]);
    }
    break;
  case ElementwiseOp::GeluTanh:
    for (uint64_t i = 0; i < count; ++i) {
      a[i] = getGeluTanh(a[i]);
    }
    break;
  }
  for (uint64_t i = 0; hasB && i < count; ++i) {
    a[i] = a[i] * b[i];
  }
}

bool needsB(ElementwiseOp op) {
  return op != ElementwiseOp::Copy && op != ElementwiseOp::Silu &&
         op != ElementwiseOp::GeluTanh;
}

float reduce(ReduceOp op, const float *a, uint64_t count) {
  float result = op == ReduceOp::Sum ? 0.0f : a[0];
  for (uint64_t i = op == ReduceOp::Sum ? 0 : 1; i < count; ++i) {
    result = op == ReduceOp::Sum ? result + a[i] : getMaximum(result, a[i]);
  }
  return result;
}

int32_t findMaximum(const float *a, uint64_t count) {
  uint64_t best = 0;
  for (uint64_t i = 1; i < count; ++i) {
    best = a[i] > a[best] ? i : best;
  }
  return int32_t(best);
}

/// Of one part of a row, in place.
void normalize(float *a, uint64_t columns, float epsilon, const float *gain) {
  float sum = 0;
  for (uint64_t i = 0; i < columns; ++i) {
    sum = sum + a[i] * a[i];
  }
  float root = std::sqrt(sum / float(columns) + epsilon);
  for (uint64_t i = 0; i < columns; ++i) {
    a[i] = a[i] / root;
    a[i] = gain ? a[i] * gain[i] : a[i];
  }
}

/// Of one head, in place.
void rotate(float *a, uint64_t columns, const float *table,
            bool isInterleaved) {
  uint64_t pairs = columns / 2;
  for (uint64_t i = 0; i < pairs; ++i) {
    float &x = a[isInterleaved ? 2 * i : i];
    float &y = a[isInterleaved ? 2 * i + 1 : i + pairs];
    float cosine = table[i], sine = table[pairs + i];
    float turnedX = x * cosine - y * sine;
    float turnedY = y * cosine + x * sine;
    x = turnedX;
    y = turnedY;
  }
}

} // namespace

void npu::execute(Operands &operands, const Workers &,
                  const Elementwise &elementwise) {
  uint64_t rows = elementwise.rows, columns = elementwise.columns;
  ElementwiseOp op = elementwise.op;
  Spread spread = elementwise.spread;
  operands.checkRange("operation", unsigned(op), 0,
                      unsigned(ElementwiseOp::GeluTanh));
  operands.checkRange("spread", unsigned(spread), 0,
                      unsigned(Spread::Immediate));
  if (spread == Spread::None && needsB(op)) {
    operands.fail("b", "an operand", "none");
  } else if (spread != Spread::None && op == ElementwiseOp::Copy) {
    operands.fail("b", "none of a copy", "an operand");
  }
  Matrix a =
      operands.open("a", elementwise.a, rows, columns, kAnyType, Access::Read);
  Matrix b;
  bool isInMemory = spread == Spread::Full || spread == Spread::Row ||
                    spread == Spread::Column;
  if (isInMemory) {
    b = operands.open("b", elementwise.b, spread == Spread::Row ? 1 : rows,
                      spread == Spread::Column ? 1 : columns, kAnyType,
                      Access::Read);
  }
  Matrix d =
      operands.open("d", elementwise.d, rows, columns, kAnyType, Access::Write);
  if (!operands.compute()) {
    return;
  }
  std::vector<float> left(columns), right(columns, elementwise.immediate);
  for (uint64_t r = 0; r < rows; ++r) {
    loadRow(a.row(r), a.type, columns, left.data());
    if (spread == Spread::Column) {
      std::fill(right.begin(), right.end(), loadElement(b.row(r), b.type));
    } else if (isInMemory) {
      loadRow(b.row(spread == Spread::Row ? 0 : r), b.type, columns,
              right.data());
    }
    apply(op, spread != Spread::None, left.data(), right.data(), columns);
    storeRow(left.data(), d.type, columns, d.row(r));
  }
}

void npu::execute(Operands &operands, const Workers &,
                  const Reduce &reduction) {
  uint64_t rows = reduction.rows, columns = reduction.columns;
  operands.checkRange("operation", unsigned(reduction.op), 0,
                      unsigned(ReduceOp::ArgMax));
  bool findsIndex = reduction.op == ReduceOp::ArgMax;
  Matrix a =
      operands.open("a", reduction.a, rows, columns, kAnyType, Access::Read);
  Matrix d = operands.open("d", reduction.d, rows, 1, findsIndex ? kI32 : kF32,
                           Access::Write);
  if (!operands.compute()) {
    return;
  }
  std::vector<float> values(columns);
  for (uint64_t r = 0; r < rows; ++r) {
    loadRow(a.row(r), a.type, columns, values.data());
    if (findsIndex) {
      int32_t index = findMaximum(values.data(), columns);
      __builtin_memcpy(d.row(r), &index, sizeof index);
    } else {
      storeF32(reduce(reduction.op, values.data(), columns), d.row(r));
    }
  }
}

void npu::execute(Operands &operands, const Workers &, const Normalize &norm) {
  uint64_t rows = norm.rows, heads = norm.heads;
  operands.checkSize("heads", heads);
  uint64_t columns = norm.columns, width = heads * columns;
  Matrix a = operands.open("a", norm.a, rows, width, kF16 | kF32, Access::Read);
  Matrix d =
      operands.open("d", norm.d, rows, width, kF16 | kF32, Access::Write);
  const uint8_t *at =
      norm.hasGain ? operands.open("gain", norm.gain, 4 * columns) : nullptr;
  if (!operands.compute()) {
    return;
  }
  std::vector<float> values(width), gain(columns);
  for (uint64_t r = 0; r < rows; ++r) {
    loadRow(a.row(r), a.type, width, values.data());
    if (at) {
      loadRow(at, DataType::F32, columns, gain.data());
    }
    for (uint64_t h = 0; h < heads; ++h) {
      normalize(values.data() + h * columns, columns, norm.epsilon,
                at ? gain.data() : nullptr);
    }
    storeRow(values.data(), d.type, width, d.row(r));
  }
}

void npu::execute(Operands &operands, const Workers &, const Rotate &rotation) {
  uint64_t rows = rotation.rows, heads = rotation.heads;
  operands.checkSize("heads", heads);
  uint64_t columns = rotation.columns, width = heads * columns;
  if (columns % 2 != 0) {
    operands.fail("columns", "an even number", std::to_string(columns));
  }
  Matrix a =
      operands.open("a", rotation.a, rows, width, kF16 | kF32, Access::Read);
  Matrix table =
      operands.open("table", rotation.table, rows, columns, kF32, Access::Read);
  Matrix d =
      operands.open("d", rotation.d, rows, width, kF16 | kF32, Access::Write);
  if (!operands.compute()) {
    return;
  }
  std::vector<float> values(width), angles(columns);
  for (uint64_t r = 0; r < rows; ++r) {
    loadRow(a.row(r), a.type, width, values.data());
    loadRow(table.row(r), DataType::F32, columns, angles.data());
    for (uint64_t h = 0; h < heads; ++h) {
      rotate(values.data() + h * columns, columns, angles.data(),
             rotation.isInterleaved);
    }
    storeRow(values.data(), d.type, width, d.row(r));
  }
}
