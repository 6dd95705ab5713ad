// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A few rows of a matrix while their codes are chosen.

#ifndef UMBER_PASSES_COMPRESSION_PALETTE_ROWBLOCK_H
#define UMBER_PASSES_COMPRESSION_PALETTE_ROWBLOCK_H

#include "passes/Compression/Palette/SecondMoment.h"
#include "passes/Compression/Palette/Tables.h"

namespace umber::palette {

/// The unit of work. Elements stand position-major, in the order of the inputs'
/// second moment: element (position, row) is at position * rows + row, so that
/// vectors run over rows.
struct RowBlock {
  int64_t rows = 0, columns = 0, rowsPerTable = 0;
  std::vector<float> weights;
  std::vector<float> errors; ///< decoded minus weights
  std::vector<uint8_t> codes;
  /// Per row, a factor of its squared error where tables are first made.
  std::vector<float> importance;
  /// rows x rows: how an error of the first row counts at the second.
  std::vector<float> coupling;
  /// Errors times coupling, as are those of the matrix's other rows.
  std::vector<float> mixed;
  Tables tables;

  /// Rows are independent until `coupling` says otherwise.
  RowBlock(int64_t rows, int64_t columns, int64_t rowsPerTable, int64_t bits);

  int64_t getGroups() const { return tables.groups; }
  int64_t getFirstRow(int64_t group) const { return group * rowsPerTable; }
  int64_t getEndRow(int64_t group) const {
    return std::min(rows, (group + 1) * rowsPerTable);
  }
};

/// Codes every weight as the nearest entry of its row's table.
void assignNearest(RowBlock &block);

/// Codes the weights position by position, and row by row at each, each as the
/// entry nearest to what makes up best for the errors so far, without foresight
/// of those to come: GPTQ over columns, the same over rows (Tseng et al. 2025,
/// YAQA, arXiv:2505.22988). `coupling` is upper triangular: the factor of the
/// outputs' second moment. Needs no codes to begin with.
void assignWithFeedback(RowBlock &block, const SecondMoment &inputs);

/// Changes codes one after the other, each to what is best while all others
/// stay (coordinate descent): never raises the objective. `coupling` is the
/// outputs' second moment.
void descend(RowBlock &block, const SecondMoment &inputs);

} // namespace umber::palette

#endif // UMBER_PASSES_COMPRESSION_PALETTE_ROWBLOCK_H
