// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stores into caches of integers. Rounding is to the bit that of the reference
// interpreter (KVCache.h there): scale = f16(max|x| / (2^(bits-1) - 1)), q =
// round_half_even(x / scale), clamped.

#include "targets/CPU/ukernels/CacheRows.h"

using namespace umber;

namespace {

constexpr int kWidth = 16;
using F = Vec<float, kWidth>;
using Bytes = Vec<int8_t, kWidth>;

/// Up to kWidth elements, and zeros behind them.
UMBER_INLINE F loadPadded(const float *x, int64_t count) {
  if (count >= kWidth) {
    return load<kWidth>(x);
  }
  F v = F(0.0f);
  for (int64_t i = 0; i < count; ++i) {
    v[i] = x[i];
  }
  return v;
}

UMBER_INLINE void storeIntegers(int8_t *row, int64_t d, Bytes q,
                                int64_t count) {
  if (count >= kWidth) {
    __builtin_memcpy(row + d, &q, sizeof q);
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    row[d + i] = q[i];
  }
}

UMBER_INLINE void storeIntegers(NibblePair *row, int64_t d, Bytes q,
                                int64_t count) {
  Bytes shifted = q << 4;
  auto pairs = (q.even & 15) | shifted.odd;
  if (count >= kWidth) {
    __builtin_memcpy(row + d / 2, &pairs, sizeof pairs);
    return;
  }
  for (int64_t i = 0; 2 * i < count; ++i) {
    row[d / 2 + i].bits = uint8_t(pairs[i]);
  }
}

/// Quantizes a vector into a row and returns its scale. A vector that has no
/// finite scale becomes zeros with that scale, so what reads it is NaN.
template <int Bits, typename T>
UMBER_INLINE half storeVector(const float *x, T *row, int64_t headDim) {
  constexpr float kRange = (1 << (Bits - 1)) - 1;
  half scale = half(largestMagnitude(x, headDim) / kRange);
  float divisor = float(scale);
  bool usable = divisor > 0.0f && divisor < __builtin_inff();
  for (int64_t d = 0; d < headDim; d += kWidth) {
    F q = F(0.0f);
    if (usable) {
      q = __builtin_elementwise_roundeven(loadPadded(x + d, headDim - d) /
                                          divisor);
      q = __builtin_elementwise_min(__builtin_elementwise_max(q, F(-kRange)),
                                    F(kRange));
    }
    storeIntegers(row, d, __builtin_convertvector(q, Bytes), headDim - d);
  }
  return scale;
}

template <int Bits, typename T>
UMBER_INLINE void storeVectors(const float *x, int64_t xStride, int64_t tokens,
                               T *cache, int64_t first, int64_t count,
                               int64_t headDim) {
  int64_t length = rowLength<T>(headDim);
  half *scales = reinterpret_cast<half *>(cache + count * length);
  for (int64_t t = 0; t < tokens; ++t) {
    scales[first + t] = storeVector<Bits>(
        x + t * xStride, cache + (first + t) * length, headDim);
  }
}

} // namespace

/// One head's vectors of `tokens` tokens, xStride elements apart, to rows
/// `first`... of a layer's keys or values, which have `count` rows.
UMBER_UKERNEL void umber_uk_cache_store_i8(const float *x, int64_t xOffset,
                                           int64_t xStride, int64_t tokens,
                                           int8_t *cache, int64_t first,
                                           int64_t count, int64_t headDim) {
  storeVectors<8>(x + xOffset, xStride, tokens, cache, first, count, headDim);
}

UMBER_UKERNEL void umber_uk_cache_store_i4(const float *x, int64_t xOffset,
                                           int64_t xStride, int64_t tokens,
                                           NibblePair *cache, int64_t first,
                                           int64_t count, int64_t headDim) {
  storeVectors<4>(x + xOffset, xStride, tokens, cache, first, count, headDim);
}
