// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/LinearAlgebra.h"
#include <algorithm>
#include <cblas.h>
#include <lapacke.h>

namespace umber::palette {

static void useOneThread() {
  static const bool once = [] {
    openblas_set_num_threads(1);
    return true;
  }();
  (void)once;
}

void multiply(const float *a, int64_t stride, const float *b, float *c,
              int64_t m, int64_t n, int64_t k) {
  useOneThread();
  if (k == 0) {
    std::fill_n(c, m * n, 0.0f);
    return;
  }
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, a, stride,
              b, n, 0, c, n);
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

} // namespace umber::palette
