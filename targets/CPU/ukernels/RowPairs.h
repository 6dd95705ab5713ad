// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of pairs of rows (smmla of aarch64's i8mm): one instruction
// multiplies 8 columns of two rows of weights by those of two tokens, twice
// what sdot does. Weights are put in that order once per decoded slice.

#ifndef UMBER_TARGETS_CPU_UKERNELS_ROWPAIRS_H
#define UMBER_TARGETS_CPU_UKERNELS_ROWPAIRS_H

#include "targets/CPU/ukernels/QuantizedProducts.h"

namespace umber {

#if defined(__ARM_FEATURE_MATMUL_INT8)
inline constexpr bool kHasRowPairs = true;
#else
inline constexpr bool kHasRowPairs = false;
#endif

/// Quads whose columns are multiplied at once.
inline constexpr int64_t kPairQuads = 2;

/// Writes `quads` quads two by two, the last with zeros if they are odd: for
/// every two rows, 8 columns of the first and 8 of the second.
UMBER_INLINE void pairRows(const uint8_t *weights, int64_t quads,
                           uint8_t *out) {
  using Rows = Vec<int32_t, 4>;
  for (int64_t q = 0; q < quads; q += kPairQuads) {
#pragma clang loop unroll(full)
    for (int64_t i = 0; i < kQuadLanes; i += int64_t(sizeof(Rows))) {
      const uint8_t *from = weights + q * kQuadLanes + i;
      Rows a = loadAs<Rows>(from);
      Rows b = q + 1 < quads ? loadAs<Rows>(from + kQuadLanes) : Rows(0);
      uint8_t *to = out + q * kQuadLanes + 2 * i;
      storeAs(to, __builtin_shufflevector(a, b, 0, 4, 1, 5));
      storeAs(to + sizeof a, __builtin_shufflevector(a, b, 2, 6, 3, 7));
    }
  }
}

/// multiplyTile() for an even number of tokens and vectors `first` and up of a
/// panel's rows, with weights from pairRows(). After an odd number of quads, x
/// is read four columns further, of which nothing is made.
template <int Tokens, int Vectors>
UMBER_INLINE void
multiplyPairs([[maybe_unused]] int64_t quads,
              [[maybe_unused]] const int8_t *const (&x)[Tokens],
              [[maybe_unused]] Words (&sums)[Tokens][Vectors],
              [[maybe_unused]] const uint8_t *pairs,
              [[maybe_unused]] int first) {
#if defined(__ARM_FEATURE_MATMUL_INT8)
  static_assert(Tokens % 2 == 0, "tokens are multiplied in pairs");
  // Two rows times two tokens: the first row's sums, then the second's.
  int32x4_t acc[Tokens / 2][2 * Vectors];
#pragma clang loop unroll(full)
  for (int t = 0; t < Tokens / 2; ++t) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 2 * Vectors; ++i) {
      acc[t][i] = int32x4_t{};
    }
  }
  const uint8_t *weights = pairs + 2 * first * kBytes;
  for (int64_t q = 0; q < quads; q += kPairQuads) {
    int8x16_t tokens[Tokens / 2];
#pragma clang loop unroll(full)
    for (int t = 0; t < Tokens / 2; ++t) {
      tokens[t] = vcombine_s8(vld1_s8(x[2 * t] + q * kQuadColumns),
                              vld1_s8(x[2 * t + 1] + q * kQuadColumns));
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 2 * Vectors; ++i) {
      auto rows = loadAs<int8x16_t>(weights + q * kQuadLanes + i * kBytes);
#pragma clang loop unroll(full)
      for (int t = 0; t < Tokens / 2; ++t) {
        acc[t][i] = vmmlaq_s32(acc[t][i], rows, tokens[t]);
      }
    }
  }
#pragma clang loop unroll(full)
  for (int t = 0; t < Tokens / 2; ++t) {
#pragma clang loop unroll(full)
    for (int v = 0; v < Vectors; ++v) {
      int32x4_t low = acc[t][2 * v], high = acc[t][2 * v + 1];
      sums[2 * t][v] += (Words)vuzp1q_s32(low, high);
      sums[2 * t + 1][v] += (Words)vuzp2q_s32(low, high);
    }
  }
#endif
}

} // namespace umber

#endif // UMBER_TARGETS_CPU_UKERNELS_ROWPAIRS_H
