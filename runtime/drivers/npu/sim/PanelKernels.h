// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inner loops of the simulator's products. Each element is summed in the
// order that Instruction.h says; what is done side by side is columns of C.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_SIM_PANELKERNELS_H
#define UMBER_RUNTIME_DRIVERS_NPU_SIM_PANELKERNELS_H

#include <cstdint>

namespace umber::npu {

/// Columns of C that are computed side by side, a panel: C's are padded to
/// whole ones. A matrix of weights as panels: [panel][inner][kPanelColumns].
constexpr uint64_t kPanelColumns = 16;
constexpr uint64_t countPanels(uint64_t columns) {
  return columns / kPanelColumns + (columns % kPanelColumns != 0);
}

/// sums[r][c] = fma(a[r][k], panel[k][c], sums[r][c]), k from the first to the
/// last, for c below kPanelColumns. Rows of `a` are `inner` apart.
void addProducts(const float *a, const float *panel, float *sums, uint64_t rows,
                 uint64_t inner);

/// sums[r][c] = fma(float(sum of a[r][k] w[c][k] of a group), scales[r][group],
/// sums[r][c]), groups from the first to the last, for c below `columns`, which
/// is at most kPanelColumns. Rows of `a` and `w` are `inner` apart.
void addIntegerProducts(const int8_t *a, const int8_t *w, const float *scales,
                        float *sums, uint64_t rows, uint64_t columns,
                        uint64_t inner, uint64_t group);

/// panel[k][c] = rows[c][k], or 0 for c from `columns` on. Rows are `stride`
/// elements apart.
void packRows(const float *rows, uint64_t stride, uint64_t columns,
              uint64_t inner, float *panel);
void packRows(const int8_t *rows, uint64_t stride, uint64_t columns,
              uint64_t inner, float *panel);
/// panel[k][c] = matrix[k][c], the same.
void packColumns(const float *matrix, uint64_t stride, uint64_t columns,
                 uint64_t inner, float *panel);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_SIM_PANELKERNELS_H
