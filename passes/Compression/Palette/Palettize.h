// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights to codes, tables and scales.

#ifndef UMBER_PASSES_COMPRESSION_PALETTE_PALETTIZE_H
#define UMBER_PASSES_COMPRESSION_PALETTE_PALETTIZE_H

#include "dialects/Umber/Parameters/EncodedMatrix.h"
#include "passes/Compression/Palette/SecondMoment.h"

namespace umber::palette {

struct PalettizeOptions {
  /// Feed errors back to the columns that are still to be coded; otherwise each
  /// weight becomes the nearest entry.
  bool feedback = true;

  /// Rounds of refine(), and passes over the codes in each.
  int refineRounds = 4;
  int refinePasses = 2;

  /// Per row, a factor of its squared output error; empty: all 1.
  llvm::ArrayRef<float> rowWeights;
};

/// How far a matrix's outputs are off per token, E its decoded minus its
/// original weights.
struct OutputError {
  double error = 0;  ///< tr(D E H E^T), D the row weights
  double signal = 0; ///< tr(D W H W^T)

  double getRelative() const { return signal > 0 ? error / signal : 0; }
};

struct Compressed {
  EncodedMatrix matrix;
  OutputError error;
};

/// Encodes `weights`, rows x columns in row-major order, as
/// `#umber.palette<bits, rows = rowsPerTable>` with a scale per table. `bits`
/// is from 1 to 8. Fails if a weight is not finite.
///
/// Runs on llvm::parallelFor's threads, in blocks of rows: memory beside the
/// result is a few megabytes per thread. The number of threads does not change
/// the result.
llvm::Expected<Compressed> palettize(llvm::ArrayRef<float> weights,
                                     int64_t rows, int64_t columns,
                                     const SecondMoment &moment, int64_t bits,
                                     int64_t rowsPerTable = 16,
                                     const PalettizeOptions &options = {});

/// What any encoding of `weights` costs.
OutputError getOutputError(llvm::ArrayRef<float> weights,
                           const EncodedLayout &layout,
                           const EncodedMatrixRef &matrix,
                           const SecondMoment &moment,
                           llvm::ArrayRef<float> rowWeights = {});

/// Fails, naming row and column, if a weight is not finite.
llvm::Error checkFinite(llvm::ArrayRef<float> weights, int64_t columns);

} // namespace umber::palette

#endif // UMBER_PASSES_COMPRESSION_PALETTE_PALETTIZE_H
