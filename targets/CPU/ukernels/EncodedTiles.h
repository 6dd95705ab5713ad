// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TARGETS_CPU_UKERNELS_ENCODEDTILES_H
#define UMBER_TARGETS_CPU_UKERNELS_ENCODEDTILES_H

#include "runtime/package/PanelEncoding.h"
#include "targets/CPU/ukernels/Vector.h"

namespace umber {

/// Whether tiles multiply so many rows of x, in groups of `group` columns,
/// sooner than vectors do: a tile holds 16 tokens and 64 columns of one run,
/// and takes as long to multiply if most of it is zeros.
constexpr bool isWorthTiles(const PanelEncoding &encoding, int64_t group,
                            int64_t tokens) {
  constexpr int64_t kLeastTokens = 8, kLeastColumns = 16;
  return tokens >= kLeastTokens && group >= kLeastColumns &&
         encoding.scaleColumns >= kLeastColumns &&
         (!encoding.hasTables() || encoding.tableColumns >= kLeastColumns);
}

} // namespace umber

/// What umber_uk_linear_encoded_i8 does, to the same bits, with tiles (AMX).
UMBER_UKERNEL void umber_uk_linear_encoded_tiles(
    const int64_t *encoding, const float *x, int64_t xOffset, int64_t xStride,
    int64_t group, const uint8_t *w, int64_t wOffset, int64_t firstRow,
    float *y, int64_t yOffset, int64_t yStride, int64_t tokens, int64_t rows);

#endif // UMBER_TARGETS_CPU_UKERNELS_ENCODEDTILES_H
