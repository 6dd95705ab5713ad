// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the cache stores vectors of headDim elements. A layer's keys, and its
// values, are [kvHeads][capacity] vectors, a vector to a row. f16 and f32
// elements stand for themselves. Integers come with a scale per vector, an f16:
// the [kvHeads][capacity] scales stand behind all rows, and an element is
// integer * scale. 4-bit integers stand two to a byte, the even element in the
// low half; a row of an odd number of them ends with four zero bits.

#ifndef UMBER_TARGETS_CPU_UKERNELS_CACHEROWS_H
#define UMBER_TARGETS_CPU_UKERNELS_CACHEROWS_H

#include "targets/CPU/ukernels/Vector.h"

namespace umber {

/// Two's complement integers of 4 bits.
struct NibblePair {
  uint8_t bits;
};

template <typename T>
inline constexpr bool kHasScales = false;
template <>
inline constexpr bool kHasScales<int8_t> = true;
template <>
inline constexpr bool kHasScales<NibblePair> = true;

/// How many `T` a row of `headDim` elements takes.
template <typename T>
UMBER_INLINE int64_t rowLength(int64_t headDim) {
  return __is_same(T, NibblePair) ? (headDim + 1) / 2 : headDim;
}

/// Elements d to d + N - 1 of a row, not yet multiplied by its scale. `d` is
/// even.
template <int N, typename T>
UMBER_INLINE Vec<float, N> loadElements(const T *row, int64_t d) {
  return load<N>(row + d);
}

template <int N>
UMBER_INLINE Vec<float, N> loadElements(const int8_t *row, int64_t d) {
  Vec<int8_t, N> integers;
  __builtin_memcpy(&integers, row + d, sizeof integers);
  return __builtin_convertvector(integers, Vec<float, N>);
}

template <int N>
UMBER_INLINE Vec<float, N> loadElements(const NibblePair *row, int64_t d) {
  static_assert(N == 8 || N == 16, "the shuffles below are of so many");
  // Into the lanes where they belong first, and there sign-extended by shifts.
  Vec<uint8_t, N / 2> pairs;
  __builtin_memcpy(&pairs, row + d / 2, sizeof pairs);
  Vec<uint8_t, N> doubled;
  if constexpr (N == 8) {
    doubled = __builtin_shufflevector(pairs, pairs, 0, 0, 1, 1, 2, 2, 3, 3);
  } else {
    doubled = __builtin_shufflevector(pairs, pairs, 0, 0, 1, 1, 2, 2, 3, 3, 4,
                                      4, 5, 5, 6, 6, 7, 7);
  }
  Vec<int32_t, N> wide = __builtin_convertvector(doubled, Vec<int32_t, N>);
  Vec<int32_t, N> up = 28;
  up.odd = 24;
  return __builtin_convertvector((wide << up) >> 28, Vec<float, N>);
}

/// One element of a row, not yet multiplied by its scale.
template <typename T>
UMBER_INLINE float loadElement(const T *row, int64_t d) {
  return float(row[d]);
}

UMBER_INLINE float loadElement(const NibblePair *row, int64_t d) {
  int bits = row[d / 2].bits >> (d % 2 * 4) & 15;
  return float((bits ^ 8) - 8);
}

/// One head's rows, by position.
template <typename T>
struct CacheRows {
  const T *rows;
  const half *scales; // where kHasScales<T>
  int64_t length;     // of a row, in T

  /// Head `head` of a layer's keys or values, `all`, of `heads` heads.
  CacheRows(const T *all, int64_t head, int64_t heads, int64_t capacity,
            int64_t headDim)
      : rows(all + head * capacity * rowLength<T>(headDim)),
        scales(reinterpret_cast<const half *>(all + heads * capacity *
                                                        rowLength<T>(headDim)) +
               head * capacity),
        length(rowLength<T>(headDim)) {}

  const T *row(int64_t position) const { return rows + position * length; }
};

} // namespace umber

#endif // UMBER_TARGETS_CPU_UKERNELS_CACHEROWS_H
