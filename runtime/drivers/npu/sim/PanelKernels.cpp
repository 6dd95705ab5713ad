// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/sim/PanelKernels.h"

#include "runtime/drivers/npu/sim/Clones.h"
#include "runtime/drivers/npu/sim/Math.h"

#include <algorithm>

using namespace umber;
using namespace umber::npu;

namespace {

/// The sums of Rows rows stay in registers, where there are enough.
template <unsigned Rows>
UMBER_NPU_INLINE void addRows(const float *a, const float *panel, float *sums,
                              uint64_t inner) {
  float totals[Rows][kPanelColumns];
  __builtin_memcpy(totals, sums, sizeof totals);
  for (uint64_t k = 0; k < inner; ++k) {
    const float *w = panel + k * kPanelColumns;
#pragma clang loop unroll(full)
    for (unsigned r = 0; r < Rows; ++r) {
      float element = a[r * inner + k];
#pragma clang loop vectorize(enable)
      for (unsigned c = 0; c < kPanelColumns; ++c) {
        totals[r][c] = getFma(element, w[c], totals[r][c]);
      }
    }
  }
  __builtin_memcpy(sums, totals, sizeof totals);
}

template <typename T>
void pack(const T *from, uint64_t columnStride, uint64_t innerStride,
          uint64_t columns, uint64_t inner, float *panel) {
  for (uint64_t k = 0; k < inner; ++k) {
    float *to = panel + k * kPanelColumns;
    const T *element = from + k * innerStride;
    for (uint64_t c = 0; c < columns; ++c) {
      to[c] = float(element[c * columnStride]);
    }
    std::fill(to + columns, to + kPanelColumns, 0.0f);
  }
}

} // namespace

UMBER_NPU_CLONES void npu::addProducts(const float *a, const float *panel,
                                       float *sums, uint64_t rows,
                                       uint64_t inner) {
  constexpr unsigned kRows = 4;
  uint64_t r = 0;
  for (; r + kRows <= rows; r += kRows) {
    addRows<kRows>(a + r * inner, panel, sums + r * kPanelColumns, inner);
  }
  for (; r < rows; ++r) {
    addRows<1>(a + r * inner, panel, sums + r * kPanelColumns, inner);
  }
}

UMBER_NPU_CLONES void npu::addIntegerProducts(const int8_t *a, const int8_t *w,
                                              const float *scales, float *sums,
                                              uint64_t rows, uint64_t columns,
                                              uint64_t inner, uint64_t group) {
  uint64_t groups = inner / group + (inner % group != 0);
  for (uint64_t r = 0; r < rows; ++r) {
    for (uint64_t c = 0; c < columns; ++c) {
      float total = sums[r * kPanelColumns + c];
      for (uint64_t g = 0; g < groups; ++g) {
        uint64_t end = std::min(inner, (g + 1) * group);
        const int8_t *x = a + r * inner, *y = w + c * inner;
        int32_t sum = 0;
        for (uint64_t k = g * group; k < end; ++k) {
          sum += int32_t(x[k]) * int32_t(y[k]);
        }
        total = getFma(float(sum), scales[r * groups + g], total);
      }
      sums[r * kPanelColumns + c] = total;
    }
  }
}

void npu::packRows(const float *rows, uint64_t stride, uint64_t columns,
                   uint64_t inner, float *panel) {
  pack(rows, stride, 1, columns, inner, panel);
}

void npu::packRows(const int8_t *rows, uint64_t stride, uint64_t columns,
                   uint64_t inner, float *panel) {
  pack(rows, stride, 1, columns, inner, panel);
}

void npu::packColumns(const float *matrix, uint64_t stride, uint64_t columns,
                      uint64_t inner, float *panel) {
  pack(matrix, 1, stride, columns, inner, panel);
}
