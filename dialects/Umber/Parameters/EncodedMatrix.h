// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A matrix as an encoding stores it, before any target's layout.

#ifndef UMBER_DIALECTS_UMBER_PARAMETERS_ENCODEDMATRIX_H
#define UMBER_DIALECTS_UMBER_PARAMETERS_ENCODEDMATRIX_H

#include "dialects/Umber/IR/UmberDialect.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace umber {

/// How many of each part the encoding of a matrix's type stores. A palette's
/// tables stand in row-major order of the blocks that they serve; the last row
/// of blocks may be lower than the others. Its scales are one per table, or one
/// per row and run of columns, in row-major order, as are the scales of
/// quantized rows.
struct EncodedLayout {
  int64_t rows = 0, columns = 0;
  int64_t tableRows = 0, tableColumns = 0; ///< of a block with one table
  int64_t entries = 0;                     ///< of one table; 0: no tables
  int64_t tables = 0;
  int64_t scaleRows = 0, scaleColumns = 0; ///< of a block with one scale
  int64_t scales = 0;

  /// `type` is of rank 2 and has a palette or quantized encoding.
  static EncodedLayout get(mlir::RankedTensorType type);

  int64_t getTable(int64_t row, int64_t column) const {
    return row / tableRows * (columns / tableColumns) + column / tableColumns;
  }
  int64_t getScale(int64_t row, int64_t column) const {
    return row / scaleRows * (columns / scaleColumns) + column / scaleColumns;
  }
};

/// The parts of a stored matrix, in memory that someone else owns.
struct EncodedMatrixRef {
  /// One byte per element, row-major: a table's index, or the quantized value
  /// in two's complement.
  llvm::ArrayRef<uint8_t> codes;
  llvm::ArrayRef<int8_t> tables;
  llvm::ArrayRef<uint16_t> scales; ///< bits of f16
};

/// The parts of a stored matrix.
struct EncodedMatrix {
  std::vector<uint8_t> codes;
  std::vector<int8_t> tables;
  std::vector<uint16_t> scales;

  operator EncodedMatrixRef() const { return {codes, tables, scales}; }
};

/// Writes the weights that rows `first` and up stand for: as many as `out` has
/// room for. Table entry times scale, both exact in f32.
void decodeRows(const EncodedLayout &layout, const EncodedMatrixRef &matrix,
                int64_t first, llvm::MutableArrayRef<float> out);

} // namespace umber

#endif // UMBER_DIALECTS_UMBER_PARAMETERS_ENCODEDMATRIX_H
