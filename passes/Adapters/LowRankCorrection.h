// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The small product that makes up best for a compressed matrix's error.

#ifndef UMBER_PASSES_ADAPTERS_LOWRANKCORRECTION_H
#define UMBER_PASSES_ADAPTERS_LOWRANKCORRECTION_H

#include "passes/Compression/Palette/OutputError.h"

namespace umber {

/// B A, to be added to a matrix of rows x columns.
struct LowRankCorrection {
  int64_t rank = 0;
  std::vector<float> a; ///< rank x columns
  std::vector<float> b; ///< rows x rank
  /// tr(G E H E^T) for the damped moments, of the error without and with the
  /// correction.
  double errorBefore = 0, errorAfter = 0;
};

/// Of all B A of this rank the one that leaves the least tr(G X H X^T) with
/// X = E - B A: `error` is E, original minus compressed weights, row-major, and
/// H and G are the damped moments of the product's inputs and outputs (G = 1
/// where nothing is known of outputs). With H = L L^T and G = K K^T it is the
/// truncated singular value decomposition of K^T E L, with both factors taken
/// off again (LQER, Zhang et al. 2024, arXiv:2402.02446; QERA, Zhang et al.
/// 2024, arXiv:2410.06040; EoRA, Liu et al. 2024, arXiv:2410.21271: all with
/// G = 1).
///
/// Each row of A and column of B are as large as one another at their largest,
/// so that both fit f16. The rank is at most the smaller side, at which E is
/// met exactly. Takes memory for about three matrices of rows x columns, and
/// two of the smaller side, in double. On the calling thread.
///
/// Fails if LAPACK does not find the decomposition.
llvm::Expected<LowRankCorrection>
findCorrection(llvm::ArrayRef<float> error,
               const palette::ProductMoments &moments, int64_t rank);

} // namespace umber

#endif // UMBER_PASSES_ADAPTERS_LOWRANKCORRECTION_H
