// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Improves tables and codes together: LNQ (GuidedQuant, Kim et al. 2025,
// arXiv:2505.07004).

#ifndef UMBER_PASSES_COMPRESSION_PALETTE_REFINE_H
#define UMBER_PASSES_COMPRESSION_PALETTE_REFINE_H

#include "passes/Compression/Palette/RowBlock.h"

namespace umber::palette {

/// Moves each table to the least squares for its codes under the second moment,
/// in stored form, and the errors with it; a table stays where that does not
/// lower the objective. `gradient` is getObjective's for the block as it is.
void fitTables(RowBlock &block, const SecondMoment &moment,
               llvm::ArrayRef<float> gradient);

/// `rounds` times: fitTables, then `passes` of coordinate descent on the codes.
/// Leaves each table and its codes as they were best. Returns the objective of
/// the whole block before the first and after each round, never rising.
std::vector<double> refine(RowBlock &block, const SecondMoment &moment,
                           int rounds, int passes);

} // namespace umber::palette

#endif // UMBER_PASSES_COMPRESSION_PALETTE_REFINE_H
