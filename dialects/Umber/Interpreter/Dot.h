// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums in the interpreter's fixed order.

#ifndef UMBER_DIALECTS_UMBER_INTERPRETER_DOT_H
#define UMBER_DIALECTS_UMBER_INTERPRETER_DOT_H

#include <cstdint>

namespace umber::interp {

/// sum_i a[i] * b[i], in the order that Interpreter.h documents: 16 interleaved
/// partial sums, added in pairs. The compiler may use vectors of any width for
/// them without changing the result.
inline float dot(const float *a, const float *b, int64_t length) {
#pragma clang fp contract(off)
  constexpr int kSums = 16;
  float sums[kSums] = {};
  int64_t i = 0;
  for (; i + kSums <= length; i += kSums) {
    for (int j = 0; j < kSums; ++j) {
      sums[j] += a[i + j] * b[i + j];
    }
  }
  for (int j = 0; i + j < length; ++j) {
    sums[j] += a[i + j] * b[i + j];
  }
  for (int half = kSums / 2; half > 0; half /= 2) {
    for (int j = 0; j < half; ++j) {
      sums[j] += sums[j + half];
    }
  }
  return sums[0];
}

} // namespace umber::interp

#endif // UMBER_DIALECTS_UMBER_INTERPRETER_DOT_H
