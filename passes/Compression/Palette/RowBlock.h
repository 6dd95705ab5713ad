// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A few rows of a matrix while their codes are chosen.

#ifndef UMBER_PASSES_COMPRESSION_PALETTE_ROWBLOCK_H
#define UMBER_PASSES_COMPRESSION_PALETTE_ROWBLOCK_H

#include "passes/Compression/Palette/SecondMoment.h"
#include "passes/Compression/Palette/Tables.h"

namespace umber::palette {

/// Rows are independent given their tables, so this is the unit of work.
/// Elements stand position-major, in the order of the second moment: element
/// (position, row) is at position * rows + row, so that vectors run over rows.
struct RowBlock {
  int64_t rows = 0, columns = 0, rowsPerTable = 0;
  std::vector<float> weights;
  std::vector<float> errors; ///< decoded minus weights
  std::vector<uint8_t> codes;
  std::vector<float> importance; ///< per row, a factor of its squared error
  Tables tables;

  RowBlock(int64_t rows, int64_t columns, int64_t rowsPerTable, int64_t bits);

  int64_t getGroups() const { return tables.groups; }
  int64_t getFirstRow(int64_t group) const { return group * rowsPerTable; }
  int64_t getEndRow(int64_t group) const {
    return std::min(rows, (group + 1) * rowsPerTable);
  }
};

/// Codes every weight as the nearest entry of its row's table.
void assignNearest(RowBlock &block);

/// Codes the weights position by position, each as the entry nearest to what
/// makes up best for the errors so far, without foresight of those to come
/// (GPTQ). Needs no codes to begin with.
void assignWithFeedback(RowBlock &block, const SecondMoment &moment);

/// Changes codes one position after the other, each to what is best while all
/// others stay (coordinate descent): never raises the objective.
void descend(RowBlock &block, const SecondMoment &moment);

/// Writes `gradient` = errors times the second moment, as errors stand, and
/// returns importance * e H e^T per table, summed over its rows.
std::vector<double> getObjective(const RowBlock &block,
                                 const SecondMoment &moment,
                                 std::vector<float> &gradient);

} // namespace umber::palette

#endif // UMBER_PASSES_COMPRESSION_PALETTE_ROWBLOCK_H
