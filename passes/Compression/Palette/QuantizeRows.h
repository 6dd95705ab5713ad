// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_PASSES_COMPRESSION_PALETTE_QUANTIZEROWS_H
#define UMBER_PASSES_COMPRESSION_PALETTE_QUANTIZEROWS_H

#include "dialects/Umber/Parameters/EncodedMatrix.h"
#include "llvm/Support/Error.h"

namespace umber::palette {

/// Encodes `weights`, rows x columns in row-major order, as
/// `#umber.quantized<bits = 8>`: with a scale per row, the largest magnitude
/// over 127, each weight as the nearest integer. Fails if a weight is not
/// finite.
llvm::Expected<EncodedMatrix> quantizeRows(llvm::ArrayRef<float> weights,
                                           int64_t rows, int64_t columns);

} // namespace umber::palette

#endif // UMBER_PASSES_COMPRESSION_PALETTE_QUANTIZEROWS_H
