// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The best tables for given codes, one half of LNQ (GuidedQuant, Kim et al.
// 2025, arXiv:2505.07004); the other is descend().

#ifndef UMBER_PASSES_COMPRESSION_PALETTE_FITTABLES_H
#define UMBER_PASSES_COMPRESSION_PALETTE_FITTABLES_H

#include "passes/Compression/Palette/RowBlock.h"

namespace umber::palette {

/// Moves one table after the other to the least squares for its codes under
/// both second moments, in stored form, and the errors with it; a table stays
/// where that does not lower the objective. The block's `coupling` is the
/// outputs' second moment.
void fitTables(RowBlock &block, const SecondMoment &inputs);

} // namespace umber::palette

#endif // UMBER_PASSES_COMPRESSION_PALETTE_FITTABLES_H
