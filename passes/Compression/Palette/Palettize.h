// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Weights to codes, tables and scales.

#ifndef UMBER_PASSES_COMPRESSION_PALETTE_PALETTIZE_H
#define UMBER_PASSES_COMPRESSION_PALETTE_PALETTIZE_H

#include "passes/Compression/Palette/OutputError.h"

namespace umber::palette {

struct PalettizeOptions {
  /// Feed errors back to the weights that are still to be coded; otherwise each
  /// becomes the nearest entry.
  bool feedback = true;

  /// Rounds of refinement, fitting tables to codes and codes to tables, and
  /// passes over the codes in each.
  int refineRounds = 4;
  int refinePasses = 2;
};

/// Encodes `weights`, rows x columns in row-major order, as
/// `#umber.palette<bits, rows = rowsPerTable>` with a scale per table, for a
/// small getOutputError(). `bits` is from 1 to 8; `rowsPerTable` divides what
/// each second moment of outputs has, but for the last. Fails if a weight is
/// not finite.
///
/// Runs on llvm::parallelFor's threads, one for what a second moment of outputs
/// couples; their number does not change the result.
llvm::Expected<EncodedMatrix> palettize(llvm::ArrayRef<float> weights,
                                        const ProductMoments &moments,
                                        int64_t bits, int64_t rowsPerTable = 16,
                                        const PalettizeOptions &options = {});

/// Fails, naming row and column, if a weight is not finite.
llvm::Error checkFinite(llvm::ArrayRef<float> weights, int64_t columns);

} // namespace umber::palette

#endif // UMBER_PASSES_COMPRESSION_PALETTE_PALETTIZE_H
