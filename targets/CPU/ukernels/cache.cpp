// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stores into caches. Floats are rounded to nearest even. Rounding to integers
// is to the bit that of the reference interpreter (KVCache.h there): scale =
// f16(max|x| / (2^(bits-1) - 1)), q = round_half_even(x / scale), clamped.

#include "runtime/include/umber/umber_abi.h"
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

/// Row `row` of `count` rows of keys or values.
template <typename T>
UMBER_INLINE void storeRow(const float *x, T *cache, int64_t row, int64_t count,
                           int64_t headDim) {
  int64_t length = rowLength<T>(headDim);
  T *to = cache + row * length;
  if constexpr (kHasScales<T>) {
    auto *scales = reinterpret_cast<half *>(cache + count * length);
    scales[row] = storeVector<__is_same(T, NibblePair) ? 4 : 8>(x, to, headDim);
  } else {
    int64_t d = 0;
    for (; d + kWidth <= headDim; d += kWidth) {
      auto v = __builtin_convertvector(load<kWidth>(x + d), Vec<T, kWidth>);
      __builtin_memcpy(to + d, &v, sizeof v);
    }
    for (; d < headDim; ++d) {
      to[d] = T(x[d]);
    }
  }
}

template <typename T>
UMBER_INLINE void storeHeads(const umber_kernel_args &step, const float *x,
                             int64_t stride, T *const *caches, int64_t begin,
                             int64_t end, int64_t heads, int64_t headDim) {
  for (int64_t t = 0; t < step.tokens; ++t, x += stride) {
    int64_t sequence = step.sequences[t], capacity = step.capacities[sequence];
    for (int64_t head = begin; head < end; ++head) {
      storeRow(x + head * headDim, caches[sequence],
               head * capacity + step.positions[t], heads * capacity, headDim);
    }
  }
}

} // namespace

/// Heads `begin` to `end - 1` of all rows of the step, `stride` elements apart,
/// each to its sequence's keys or values, which have `heads` heads.
#define UMBER_CACHE_STORE(NAME, T)                                             \
  UMBER_UKERNEL void NAME(const umber_kernel_args *step, const float *x,       \
                          int64_t offset, int64_t stride, T *const *caches,    \
                          int64_t begin, int64_t end, int64_t heads,           \
                          int64_t headDim) {                                   \
    storeHeads<T>(*step, x + offset, stride, caches, begin, end, heads,        \
                  headDim);                                                    \
  }

UMBER_CACHE_STORE(umber_uk_cache_store_f32, float)
UMBER_CACHE_STORE(umber_uk_cache_store_f16, half)
UMBER_CACHE_STORE(umber_uk_cache_store_i8, int8_t)
UMBER_CACHE_STORE(umber_uk_cache_store_i4, NibblePair)
