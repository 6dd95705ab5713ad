// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How matrices lie in the engine's memory: the compiler plans it and writes
// weights so, and the driver adapters.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_MATRIXLAYOUT_H
#define UMBER_RUNTIME_DRIVERS_NPU_MATRIXLAYOUT_H

#include "runtime/drivers/npu/isa/Instruction.h"

#include <string>

namespace umber::npu {

/// A matrix of weights in DRAM: tables | scales | tiles. Tiles of `tileRows`
/// rows stand one behind the other, each cut into parts of `tileColumns`
/// columns, which are rows of packed elements; the last ones are smaller.
struct MatrixLayout {
  Region region = Region::Weights;
  int64_t rows = 0;
  int64_t columns = 0;
  bool isPalette = false;
  int64_t bits = 16;
  int64_t storageBits = 16;
  int64_t rowsPerTable = 0; ///< 0: no tables
  int64_t rowsPerScale = 0; ///< 0: no scales
  uint64_t tables = 0;      ///< offsets in the region
  uint64_t scales = 0;
  uint64_t elements = 0;
  int64_t tileRows = 0;
  int64_t tileColumns = 0;
  /// What parts' columns are multiples of: so that the scales of activations'
  /// groups begin at granules.
  int64_t columnUnit = 0;

  int64_t getPartRowBytes(int64_t part) const;
  /// Of the part, number `part`, of the tile that begins at row `firstRow`.
  uint64_t getPartOffset(int64_t firstRow, int64_t part) const;
  int64_t getParts() const;
  /// Of all that belongs to it.
  uint64_t getBegin() const {
    return rowsPerTable != 0 ? tables : rowsPerScale != 0 ? scales : elements;
  }
  uint64_t getEnd() const { return getPartOffset(rows, 0); }
};

/// A site's matrices in Region::Adapters, F16: A, [rank][columns], and B,
/// [rows][rank].
struct SiteLayout {
  std::string name;
  MatrixLayout a;
  /// A once more, cut into parts of columns, for inputs that are made a tile of
  /// columns at a time.
  MatrixLayout aByColumns;
  MatrixLayout b;
};

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_MATRIXLAYOUT_H
