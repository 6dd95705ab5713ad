// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_PASSES_COMPRESSION_BODYCHOICES_H
#define UMBER_PASSES_COMPRESSION_BODYCHOICES_H

#include "passes/Compression/Allocation.h"
#include "passes/Compression/ModelBody.h"

namespace umber {

/// The widths that a budget of `bits` per weight is spent on, in ascending
/// order: `choices`, or those that suit it.
llvm::SmallVector<int64_t> getBudgetWidths(const ModelBody &parts, double bits,
                                           llvm::ArrayRef<int64_t> choices);

/// For every matrix of the body, its bytes at each width.
std::vector<std::vector<StorageChoice>>
getChoices(const ModelBody &parts, llvm::ArrayRef<int64_t> widths);

/// What the body takes at the least.
int64_t getLeastBytes(llvm::ArrayRef<std::vector<StorageChoice>> matrices);

} // namespace umber

#endif // UMBER_PASSES_COMPRESSION_BODYCHOICES_H
