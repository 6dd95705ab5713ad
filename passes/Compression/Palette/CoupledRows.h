// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_PASSES_COMPRESSION_PALETTE_COUPLEDROWS_H
#define UMBER_PASSES_COMPRESSION_PALETTE_COUPLEDROWS_H

#include "dialects/Umber/Parameters/EncodedMatrix.h"
#include "passes/Compression/Palette/RowBlock.h"

namespace umber::palette {

/// Rows of a matrix that one second moment of outputs couples, while their
/// codes are chosen: block after block, each with the errors of the others as
/// they stand.
class CoupledRows {
public:
  /// `weights`: rows x columns in row-major order.
  CoupledRows(llvm::ArrayRef<float> weights, const SecondMoment &inputs,
              const SecondMoment &outputs, int64_t bits, int64_t rowsPerTable);

  /// Makes tables and chooses codes, feeding errors back to what is still to be
  /// coded or else each the nearest entry.
  void assign(bool feedback);

  /// Fits all tables, then lets codes descend in `passes`. Never raises the
  /// objective tr(G E H E^T), G and H the damped second moments.
  void refine(int passes);

  /// Writes codes and tables of the rows, which begin at `first`.
  void store(int64_t first, EncodedMatrix &matrix) const;

private:
  /// Sets what a block couples with: `matrix` is the transpose of what couples
  /// rows; only blocks before `end` have errors.
  void couple(size_t block, llvm::ArrayRef<float> matrix, size_t end);
  int64_t getFirst(size_t block) const;

  const SecondMoment &inputs, &outputs;
  std::vector<RowBlock> blocks;
};

} // namespace umber::palette

#endif // UMBER_PASSES_COMPRESSION_PALETTE_COUPLEDROWS_H
