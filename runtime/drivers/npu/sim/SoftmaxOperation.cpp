// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Steps of softmax.

#include "runtime/drivers/npu/sim/Clones.h"
#include "runtime/drivers/npu/sim/Math.h"
#include "runtime/drivers/npu/sim/Operations.h"
#include "runtime/drivers/npu/sim/Rows.h"

#include <algorithm>

using namespace umber;
using namespace umber::npu;

namespace {

constexpr float kNothing = -std::numeric_limits<float>::infinity();

struct Seen {
  uint64_t begin = 0;
  uint64_t end = 0;
};

/// The columns that the row of position `query` sees: one range.
Seen getSeen(const SoftmaxStep &step, Wide query) {
  Wide columns = step.columns;
  Wide end = query - step.firstKey + 1;
  Wide begin = step.window == 0 ? 0 : end - step.window;
  begin = std::clamp<Wide>(begin, 0, columns);
  end = std::clamp<Wide>(end, begin, columns);
  return {uint64_t(begin), uint64_t(end)};
}

UMBER_NPU_CLONES void capAll(float *a, uint64_t count, float cap) {
  for (uint64_t i = 0; i < count; ++i) {
    a[i] = cap * getTanh(a[i] / cap);
  }
}

UMBER_NPU_CLONES void expAll(float *a, uint64_t count, float maximum) {
  for (uint64_t i = 0; i < count; ++i) {
    a[i] = getExp(a[i] - maximum);
  }
}

/// Of one row, in place; `state` is its maximum and sum.
float step(float *a, uint64_t columns, Seen seen, bool isFirst,
           float (&state)[2]) {
  float before = isFirst ? kNothing : state[0];
  float sum = isFirst ? 0.0f : state[1];
  float maximum = before;
  for (uint64_t i = seen.begin; i < seen.end; ++i) {
    maximum = getMaximum(maximum, a[i]);
  }
  bool hasSeen = maximum != kNothing;
  float factor = isFirst || !hasSeen ? 0.0f : getExp(before - maximum);
  std::fill(a, a + seen.begin, 0.0f);
  std::fill(a + seen.end, a + columns, 0.0f);
  if (hasSeen) {
    expAll(a + seen.begin, seen.end - seen.begin, maximum);
  } else {
    std::fill(a + seen.begin, a + seen.end, 0.0f);
  }
  float added = 0;
  for (uint64_t i = seen.begin; i < seen.end; ++i) {
    added = added + a[i];
  }
  state[0] = maximum;
  state[1] = sum * factor + added;
  return factor;
}

} // namespace

void npu::execute(Operands &operands, const Workers &,
                  const SoftmaxStep &softmax) {
  uint64_t rows = softmax.rows, columns = softmax.columns;
  operands.checkSize("rows per token", softmax.rowsPerToken);
  Matrix a =
      operands.open("a", softmax.a, rows, columns, kF16 | kF32, Access::Read);
  Matrix d =
      operands.open("d", softmax.d, rows, columns, kF16 | kF32, Access::Write);
  Matrix state =
      operands.open("state", softmax.state, rows, 2, kF32, Access::Write);
  Matrix factors =
      operands.open("factors", softmax.factors, rows, 1, kF32, Access::Write);
  if (!operands.compute()) {
    return;
  }
  std::vector<float> values(columns);
  for (uint64_t r = 0; r < rows; ++r) {
    float rowState[2];
    loadRow(a.row(r), a.type, columns, values.data());
    loadRow(state.row(r), DataType::F32, 2, rowState);
    if (softmax.softCap != 0.0f) {
      capAll(values.data(), columns, softmax.softCap);
    }
    Wide query = Wide(softmax.firstQuery) + r / softmax.rowsPerToken;
    float factor = step(values.data(), columns, getSeen(softmax, query),
                        softmax.isFirst, rowState);
    storeRow(values.data(), d.type, columns, d.row(r));
    storeRow(rowState, DataType::F32, 2, state.row(r));
    storeF32(factor, factors.row(r));
  }
}
