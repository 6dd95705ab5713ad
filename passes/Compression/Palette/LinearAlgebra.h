// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The BLAS and LAPACK that palettization uses, each call on one thread:
// parallelism is over fixed blocks of rows, so that the number of threads does
// not change a bit of the result.

#ifndef UMBER_PASSES_COMPRESSION_PALETTE_LINEARALGEBRA_H
#define UMBER_PASSES_COMPRESSION_PALETTE_LINEARALGEBRA_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>

namespace umber::palette {

/// Rows of large matrices begin at multiples of so many elements.
constexpr int64_t strideAlignment = 64;

/// Functions marked so exist once per x86-64 level, and the processor's is
/// taken: the compiler itself is built for any x86-64.
#ifdef __x86_64__
#define UMBER_PER_PROCESSOR                                                    \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define UMBER_PER_PROCESSOR
#endif

/// c = a b, with a m x k, b k x n and c m x n, all row-major, a's rows `stride`
/// elements apart.
void multiply(const float *a, int64_t stride, const float *b, float *c,
              int64_t m, int64_t n, int64_t k);

/// Replaces the lower triangle of `a`, n x n and column-major, by L with
/// L L^T = a. Returns whether `a` is positive definite; if not, `a` is spoilt.
bool choleskyInPlace(llvm::MutableArrayRef<double> a, int64_t n);

/// Replaces `b` by a^-1 b, for `a` n x n, symmetric and spoilt by this. Returns
/// whether `a` is positive definite; if not, `b` is unchanged.
bool solveInPlace(llvm::MutableArrayRef<double> a,
                  llvm::MutableArrayRef<double> b);

} // namespace umber::palette

#endif // UMBER_PASSES_COMPRESSION_PALETTE_LINEARALGEBRA_H
