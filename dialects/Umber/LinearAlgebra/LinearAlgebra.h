// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The BLAS and LAPACK that the compiler uses. The library's own threads stay
// off: work is split into blocks that do not depend on the number of threads,
// so that it does not change a bit of the result.

#ifndef UMBER_DIALECTS_UMBER_LINEARALGEBRA_LINEARALGEBRA_H
#define UMBER_DIALECTS_UMBER_LINEARALGEBRA_LINEARALGEBRA_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>

namespace umber {

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

/// A row-major matrix operand: where it begins, how far apart its rows are,
/// and whether its transpose is meant.
template <typename Element>
struct BasicMatrixView {
  const Element *data;
  int64_t stride;
  bool transposed = false;
};
using MatrixView = BasicMatrixView<float>;

/// c = a b, with a m x k, b k x n and c m x n, all row-major, a's rows `stride`
/// elements apart. On the calling thread.
void multiply(const float *a, int64_t stride, const float *b, float *c,
              int64_t m, int64_t n, int64_t k);

/// c = factor a b + add c, for a of m x k, b of k x n (as meant) and c of m x n
/// with rows `stride` elements apart. On the calling thread.
void multiply(const MatrixView &a, const MatrixView &b, float *c,
              int64_t stride, int64_t m, int64_t n, int64_t k, float factor = 1,
              float add = 0);

/// c = a b, in double: for a of m x k, b of k x n (as meant) and c of m x n. On
/// the calling thread.
void multiply(const BasicMatrixView<double> &a,
              const BasicMatrixView<double> &b, double *c, int64_t m, int64_t n,
              int64_t k);

/// c = factor a b + add c, c's rows or columns split over llvm::parallelFor's
/// threads.
void multiplyInParallel(const MatrixView &a, const MatrixView &b, float *c,
                        int64_t stride, int64_t m, int64_t n, int64_t k,
                        float factor = 1, float add = 0);

/// c += x^T x, for x of m x n with rows `xStride` elements apart, c's
/// `cStride`; only blocks on and below c's diagonal are right. On
/// llvm::parallelFor's threads.
void addSecondMoment(const float *x, int64_t xStride, int64_t m, int64_t n,
                     float *c, int64_t cStride);

/// Replaces the lower triangle of `a`, n x n and column-major, by L with
/// L L^T = a. Returns whether `a` is positive definite; if not, `a` is spoilt.
bool choleskyInPlace(llvm::MutableArrayRef<double> a, int64_t n);

/// Replaces `b` by a^-1 b, for `a` n x n, symmetric and spoilt by this. Returns
/// whether `a` is positive definite; if not, `b` is unchanged.
bool solveInPlace(llvm::MutableArrayRef<double> a,
                  llvm::MutableArrayRef<double> b);

/// A lower triangle, size x size and row-major, and whether its transpose is
/// meant.
struct TriangleView {
  const double *data;
  int64_t size;
  bool transposed = false;
};

/// On which side of a matrix another stands.
enum class Side { Left, Right };

/// Replaces x, m x n and row-major, by t x or x t. On the calling thread.
void multiplyByTriangle(const TriangleView &t, Side side, double *x, int64_t m,
                        int64_t n);

/// Replaces x, m x n and row-major, by t^-1 x or x t^-1, for a t without zeros
/// on its diagonal. On the calling thread.
void solveTriangle(const TriangleView &t, Side side, double *x, int64_t m,
                   int64_t n);

/// Replaces `a`, n x n and symmetric, by its eigenvectors, a row each, and sets
/// `values` to their eigenvalues, smallest first. Returns whether they were
/// found; if not, `a` is spoilt.
bool findEigenvectors(llvm::MutableArrayRef<double> a,
                      llvm::MutableArrayRef<double> values);

} // namespace umber

#endif // UMBER_DIALECTS_UMBER_LINEARALGEBRA_LINEARALGEBRA_H
