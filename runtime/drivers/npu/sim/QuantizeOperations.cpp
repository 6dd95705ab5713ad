// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Floating-point numbers to integers with scales, and back; the cache's among
// them.

#include "runtime/drivers/npu/sim/Math.h"
#include "runtime/drivers/npu/sim/Operations.h"
#include "runtime/drivers/npu/sim/Rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace umber;
using namespace umber::npu;

namespace {

float getMost(unsigned bits) { return float((1 << (bits - 1)) - 1); }

/// Bytes of a row of the cache.
uint64_t getCacheBytes(const AppendCache &append) {
  return (uint64_t(append.columns) * append.bits + 7) / 8;
}

/// One head's row: at `to`, and of integers its scale at `scale`.
void appendRow(float *values, const AppendCache &append, uint8_t *to,
               uint8_t *scaleTo) {
  uint64_t columns = append.columns;
  if (append.bits >= 16) {
    return storeRow(values, append.bits == 16 ? DataType::F16 : DataType::F32,
                    columns, to);
  }
  float most = getMost(append.bits);
  float scale = getScale(values, columns, most);
  storeRow(&scale, DataType::F16, 1, scaleTo);
  scale = loadElement(scaleTo, DataType::F16);
  if (!std::isfinite(scale)) {
    scale = std::nanf("");
    storeRow(&scale, DataType::F16, 1, scaleTo);
  }
  std::vector<int8_t> integers(columns + 1);
  quantizeRow(values, columns, scale, most, integers.data());
  if (append.bits == 8) {
    std::memcpy(to, integers.data(), columns);
    return;
  }
  for (uint64_t i = 0; i < columns; i += 2) {
    unsigned low = uint8_t(integers[i]), high = uint8_t(integers[i + 1]);
    to[i / 2] = uint8_t((low & 15) | (high & 15) << 4);
  }
}

} // namespace

void npu::execute(Operands &operands, const Workers &,
                  const Quantize &quantize) {
  uint64_t rows = quantize.rows, columns = quantize.columns,
           group = quantize.group;
  operands.checkRange("bits", quantize.bits, 2, 8);
  operands.checkSize("group", group);
  if (!operands.ok()) {
    return;
  }
  uint64_t groups = countGroups(columns, group);
  Matrix a =
      operands.open("a", quantize.a, rows, columns, kF16 | kF32, Access::Read);
  Matrix d = operands.open("d", quantize.d, rows, columns, kI8, Access::Write);
  Matrix scales = operands.open("scales", quantize.scales, rows, groups, kF32,
                                Access::Write);
  if (!operands.compute()) {
    return;
  }
  float most = getMost(quantize.bits);
  std::vector<float> values(columns), rowScales(groups);
  std::vector<int8_t> integers(columns);
  for (uint64_t r = 0; r < rows; ++r) {
    loadRow(a.row(r), a.type, columns, values.data());
    for (uint64_t g = 0; g < groups; ++g) {
      uint64_t begin = g * group, count = std::min(group, columns - begin);
      rowScales[g] = getScale(values.data() + begin, count, most);
      quantizeRow(values.data() + begin, count, rowScales[g], most,
                  integers.data() + begin);
    }
    std::memcpy(d.row(r), integers.data(), columns);
    storeRow(rowScales.data(), DataType::F32, groups, scales.row(r));
  }
}

void npu::execute(Operands &operands, const Workers &,
                  const Dequantize &dequantize) {
  uint64_t rows = dequantize.rows, columns = dequantize.columns,
           group = dequantize.group;
  operands.checkSize("group", group);
  if (!operands.ok()) {
    return;
  }
  uint64_t groups = countGroups(columns, group);
  Matrix a = operands.open("a", dequantize.a, rows, columns, kI8, Access::Read);
  Matrix scales = operands.open("scales", dequantize.scales, rows, groups,
                                kF16 | kF32, Access::Read);
  Matrix d = operands.open("d", dequantize.d, rows, columns, kF16 | kF32,
                           Access::Write);
  if (!operands.compute()) {
    return;
  }
  std::vector<float> values(columns), rowScales(groups);
  for (uint64_t r = 0; r < rows; ++r) {
    loadRow(a.row(r), DataType::I8, columns, values.data());
    loadRow(scales.row(r), scales.type, groups, rowScales.data());
    for (uint64_t i = 0; i < columns; ++i) {
      values[i] = values[i] * rowScales[i / group] * dequantize.factor;
    }
    storeRow(values.data(), d.type, columns, d.row(r));
  }
}

void npu::execute(Operands &operands, const Workers &,
                  const AppendCache &append) {
  uint64_t rows = append.rows, heads = append.heads, columns = append.columns;
  operands.checkRange("rows", rows, 0, kMostRows);
  operands.checkSize("heads", heads);
  operands.checkSize("columns", columns);
  if (append.bits != 4 && append.bits != 8 && append.bits != 16 &&
      append.bits != 32) {
    operands.fail("bits", "4, 8, 16 or 32", std::to_string(append.bits));
  }
  if (!operands.ok() || rows == 0) {
    return;
  }
  bool hasScales = append.bits < 16;
  Matrix a =
      operands.open("a", append.a, rows, heads * columns, kF32, Access::Read);
  uint64_t rowBytes = getCacheBytes(append);
  uint8_t *to =
      operands.open("to", append.to, 0,
                    Wide(heads - 1) * append.headStride + Wide(rows) * rowBytes,
                    Access::Write);
  uint8_t *scales = nullptr;
  if (hasScales) {
    scales =
        operands.open("scales", append.scales, 0,
                      Wide(heads - 1) * append.scaleHeadStride + Wide(2) * rows,
                      Access::Write);
  }
  if (!operands.compute()) {
    return;
  }
  std::vector<float> values(heads * columns);
  for (uint64_t r = 0; r < rows; ++r) {
    loadRow(a.row(r), DataType::F32, values.size(), values.data());
    for (uint64_t h = 0; h < heads; ++h) {
      appendRow(values.data() + h * columns, append,
                to + h * append.headStride + r * rowBytes,
                hasScales ? scales + h * append.scaleHeadStride + 2 * r
                          : nullptr);
    }
  }
}
