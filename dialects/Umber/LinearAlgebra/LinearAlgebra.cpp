// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Parallel.h"
#include <algorithm>
#include <cblas.h>
#include <lapacke.h>

namespace umber {

/// Rows or columns of a result that are one thread's.
constexpr int64_t kBlock = 256;

static void useOneThread() {
  static const bool once = [] {
    openblas_set_num_threads(1);
    return true;
  }();
  (void)once;
}

template <typename View>
static CBLAS_TRANSPOSE getOrder(const View &view) {
  return view.transposed ? CblasTrans : CblasNoTrans;
}

void multiply(const float *a, int64_t stride, const float *b, float *c,
              int64_t m, int64_t n, int64_t k) {
  multiply({a, stride}, {b, n}, c, n, m, n, k);
}

void multiply(const MatrixView &a, const MatrixView &b, float *c,
              int64_t stride, int64_t m, int64_t n, int64_t k, float factor,
              float add) {
  useOneThread();
  if (m == 0 || n == 0) {
    return;
  }
  if (k == 0) {
    for (int64_t r = 0; r < m; ++r) {
      for (int64_t i = 0; i < n; ++i) {
        c[r * stride + i] = add == 0 ? 0 : add * c[r * stride + i];
      }
    }
    return;
  }
  cblas_sgemm(CblasRowMajor, getOrder(a), getOrder(b), m, n, k, factor, a.data,
              a.stride, b.data, b.stride, add, c, stride);
}

void multiply(const BasicMatrixView<double> &a,
              const BasicMatrixView<double> &b, double *c, int64_t m, int64_t n,
              int64_t k) {
  useOneThread();
  if (m == 0 || n == 0) {
    return;
  }
  if (k == 0) {
    std::fill(c, c + m * n, 0.0);
    return;
  }
  cblas_dgemm(CblasRowMajor, getOrder(a), getOrder(b), m, n, k, 1, a.data,
              a.stride, b.data, b.stride, 0, c, n);
}

void multiplyInParallel(const MatrixView &a, const MatrixView &b, float *c,
                        int64_t stride, int64_t m, int64_t n, int64_t k,
                        float factor, float add) {
  if (m >= n) {
    llvm::parallelFor(0, llvm::divideCeil(m, kBlock), [&](size_t block) {
      int64_t first = int64_t(block) * kBlock;
      MatrixView part = a;
      part.data += a.transposed ? first : first * a.stride;
      multiply(part, b, c + first * stride, stride, std::min(kBlock, m - first),
               n, k, factor, add);
    });
    return;
  }
  llvm::parallelFor(0, llvm::divideCeil(n, kBlock), [&](size_t block) {
    int64_t first = int64_t(block) * kBlock;
    MatrixView part = b;
    part.data += b.transposed ? first * b.stride : first;
    multiply(a, part, c + first, stride, m, std::min(kBlock, n - first), k,
             factor, add);
  });
}

void addSecondMoment(const float *x, int64_t xStride, int64_t m, int64_t n,
                     float *c, int64_t cStride) {
  llvm::parallelFor(0, llvm::divideCeil(n, kBlock), [&](size_t block) {
    int64_t first = int64_t(block) * kBlock;
    int64_t rows = std::min(kBlock, n - first);
    multiply({x + first, xStride, true}, {x, xStride}, c + first * cStride,
             cStride, rows, first + rows, m, 1, 1);
  });
}

bool choleskyInPlace(llvm::MutableArrayRef<double> a, int64_t n) {
  useOneThread();
  return LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', n, a.data(), n) == 0;
}

bool solveInPlace(llvm::MutableArrayRef<double> a,
                  llvm::MutableArrayRef<double> b) {
  int64_t n = b.size();
  return choleskyInPlace(a, n) && LAPACKE_dpotrs(LAPACK_COL_MAJOR, 'L', n, 1,
                                                 a.data(), n, b.data(), n) == 0;
}

static CBLAS_SIDE getSide(Side side) {
  return side == Side::Left ? CblasLeft : CblasRight;
}

void multiplyByTriangle(const TriangleView &t, Side side, double *x, int64_t m,
                        int64_t n) {
  useOneThread();
  if (m != 0 && n != 0) {
    cblas_dtrmm(CblasRowMajor, getSide(side), CblasLower, getOrder(t),
                CblasNonUnit, m, n, 1, t.data, t.size, x, n);
  }
}

void solveTriangle(const TriangleView &t, Side side, double *x, int64_t m,
                   int64_t n) {
  useOneThread();
  if (m != 0 && n != 0) {
    cblas_dtrsm(CblasRowMajor, getSide(side), CblasLower, getOrder(t),
                CblasNonUnit, m, n, 1, t.data, t.size, x, n);
  }
}

bool findEigenvectors(llvm::MutableArrayRef<double> a,
                      llvm::MutableArrayRef<double> values) {
  useOneThread();
  int64_t n = values.size();
  return n == 0 || LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', n, a.data(), n,
                                  values.data()) == 0;
}

} // namespace umber
