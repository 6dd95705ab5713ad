// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention's products of queries with a block of keys or values: as the cache
// has them, converted in registers, or as f32 that many queries share. Sums are
// made in the same order in both ways, and whichever queries are computed side
// by side.

#ifndef UMBER_TARGETS_CPU_UKERNELS_ATTENTIONPRODUCTS_H
#define UMBER_TARGETS_CPU_UKERNELS_ATTENTIONPRODUCTS_H

#include "targets/CPU/AttentionScratch.h"
#include "targets/CPU/ukernels/CacheRows.h"

namespace umber {

/// Keys or values of a block's positions, `length` elements of T apart.
template <typename T>
struct BlockRows {
  const T *first;
  int64_t length;

  const T *at(int64_t position) const { return first + position * length; }
};

/// Lanes of a product of a query and a key, queries whose products with four
/// keys stay in registers, and queries whose sums of 16 elements of values do.
#if defined(__AVX512F__)
inline constexpr int kDotLanes = 16, kScoreQueries = 6, kValueQueries = 12;
#else
inline constexpr int kDotLanes = 8, kScoreQueries = 3, kValueQueries = 6;
#endif

/// The most queries for which keys and values are better converted in
/// registers, each time that they are read, than once, to memory.
template <typename T>
inline constexpr int64_t kDirectKeys = kTileQueries;
template <>
inline constexpr int64_t kDirectKeys<half> = 2 * kScoreQueries;
template <>
inline constexpr int64_t kDirectKeys<int8_t> = 4 * kScoreQueries;
template <>
inline constexpr int64_t kDirectKeys<NibblePair> = kScoreQueries;

template <typename T>
inline constexpr int64_t kDirectValues = kTileQueries;
template <>
inline constexpr int64_t kDirectValues<NibblePair> = 4;

/// Writes `rows` from `first` to `last - 1` as f32, in rows of whole vectors;
/// what is behind headDim is zeros, or, of integers, some finite number.
/// Integers are read beyond their row's end, where others and, behind the last
/// row, the scales are.
template <typename T>
__attribute__((noinline)) static void convertRows(BlockRows<T> rows,
                                                  int64_t first, int64_t last,
                                                  int64_t headDim, float *out) {
  int64_t stride = (headDim + 15) / 16 * 16;
  for (int64_t j = first; j < last; ++j) {
    const T *row = rows.at(j);
    float *to = out + j * stride;
    for (int64_t d = 0; d < headDim; d += 16) {
      if (kHasScales<T> || d + 16 <= headDim) {
        store<16>(to + d, loadElements<16>(row, d));
        continue;
      }
      for (int64_t i = d; i < stride; ++i) {
        to[i] = i < headDim ? loadElement(row, i) : 0.0f;
      }
    }
  }
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

/// The sums of all lanes of four vectors.
UMBER_INLINE Vec<float, 4> sumEach(Vec<float, 8> a, Vec<float, 8> b,
                                   Vec<float, 8> c, Vec<float, 8> d) {
  auto addHalves = [](Vec<float, 8> x,
                      Vec<float, 8> y) __attribute__((always_inline)) {
    return __builtin_shufflevector(x, y, 0, 8, 1, 9, 4, 12, 5, 13) +
           __builtin_shufflevector(x, y, 2, 10, 3, 11, 6, 14, 7, 15);
  };
  Vec<float, 8> ab = addHalves(a, b), cd = addHalves(c, d);
  Vec<float, 8> sums =
      __builtin_shufflevector(ab, cd, 0, 1, 8, 9, 4, 5, 12, 13) +
      __builtin_shufflevector(ab, cd, 2, 3, 10, 11, 6, 7, 14, 15);
  return sums.lo + sums.hi;
}

UMBER_INLINE Vec<float, 4> sumEach(Vec<float, 16> a, Vec<float, 16> b,
                                   Vec<float, 16> c, Vec<float, 16> d) {
  return sumEach(a.lo + a.hi, b.lo + b.hi, c.lo + c.hi, d.lo + d.hi);
}

/// For positions `first` to `last - 1`, and some around them.
template <int Queries, typename T>
UMBER_INLINE void scoreTogether(const float *q, int64_t stride,
                                const BlockRows<T> &keys, int64_t first,
                                int64_t last, float *scores) {
  // Few sums would wait for each other, and more than registers hold would be
  // spilled.
  constexpr int kKeys = Queries == 1 ? 8 : Queries <= kScoreQueries ? 4 : 2;
  using F = Vec<float, kDotLanes>;
  for (int64_t j = first / kKeys * kKeys; j < last; j += kKeys) {
    F sums[Queries][kKeys] = {};
    // All registers are in use: more of the loop at a time would spill them.
#pragma clang loop unroll(disable)
    for (int64_t d = 0; d < stride; d += kDotLanes) {
#pragma clang loop unroll(full)
      for (int k = 0; k < kKeys; ++k) {
        F key = loadElements<kDotLanes>(keys.at(j + k), d);
#pragma clang loop unroll(full)
        for (int i = 0; i < Queries; ++i) {
          sums[i][k] =
              fma(load<kDotLanes>(q + i * stride + d), key, sums[i][k]);
        }
      }
    }
    // Four sums at a time, of queries from the first to the last.
#pragma clang loop unroll(full)
    for (int at = 0; at < Queries * kKeys; at += 4) {
      auto sumAt = [&](int i) __attribute__((always_inline)) {
        int last = Queries * kKeys - 1;
        i = i < last ? i : last;
        return sums[i / kKeys][i % kKeys];
      };
      Vec<float, 4> four =
          sumEach(sumAt(at), sumAt(at + 1), sumAt(at + 2), sumAt(at + 3));
      float *to = scores + j;
      if constexpr (kKeys == 2) {
        store<2>(to + at / 2 * kBlockPositions, four.lo);
        if (at / 2 + 1 < Queries) {
          store<2>(to + (at / 2 + 1) * kBlockPositions, four.hi);
        }
      } else {
        store<4>(to + at / kKeys * kBlockPositions + at % kKeys, four);
      }
    }
  }
}

/// For up to kScoreQueries + 1 queries.
template <int Queries, typename T>
UMBER_INLINE void scoreRest(const float *q, int64_t stride, int64_t count,
                            const BlockRows<T> &keys, int64_t first,
                            int64_t last, float *scores) {
  if constexpr (Queries > 0) {
    if (count == Queries) {
      scoreTogether<Queries>(q, stride, keys, first, last, scores);
    } else {
      scoreRest<Queries - 1>(q, stride, count, keys, first, last, scores);
    }
  }
}

/// scores[i][j] = <q[i], keys[j]> for `count` queries, rows of `stride`
/// elements with zeros behind the head's, and positions j from `first` to `last
/// - 1` of a block. Other positions' scores may be anything; all keys of the
/// block are in memory.
///
/// Not inlined, here and below: every kernel would get several copies.
template <typename T>
__attribute__((noinline)) static void
multiplyByKeys(const float *q, int64_t stride, int64_t count, BlockRows<T> keys,
               int64_t first, int64_t last, float *scores) {
  // One more is better not left alone.
  for (; count > kScoreQueries + 1 || count == kScoreQueries;
       count -= kScoreQueries) {
    scoreTogether<kScoreQueries>(q, stride, keys, first, last, scores);
    q += kScoreQueries * stride;
    scores += kScoreQueries * kBlockPositions;
  }
  scoreRest<kScoreQueries + 1>(q, stride, count, keys, first, last, scores);
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// Weights of a block's positions `first` to `last - 1`, and what they are of.
template <typename T>
struct WeightedValues {
  const float *weights;
  BlockRows<T> values;
  int64_t first, last;
};

/// `Vectors` vectors of 16 results from element d on.
template <int Queries, int Vectors, typename T>
UMBER_INLINE void addVectors(const WeightedValues<T> &x, const float *factors,
                             float *results, int64_t stride, int64_t d) {
  using F = Vec<float, 16>;
  F sums[Queries][Vectors];
#pragma clang loop unroll(full)
  for (int i = 0; i < Queries; ++i) {
#pragma clang loop unroll(full)
    for (int u = 0; u < Vectors; ++u) {
      sums[i][u] = load<16>(results + i * stride + d + 16 * u) * factors[i];
    }
  }
#pragma clang loop unroll(disable)
  for (int64_t j = x.first; j < x.last; ++j) {
    const T *row = x.values.at(j);
#pragma clang loop unroll(full)
    for (int u = 0; u < Vectors; ++u) {
      F value = loadElements<16>(row, d + 16 * u);
#pragma clang loop unroll(full)
      for (int i = 0; i < Queries; ++i) {
        sums[i][u] =
            fma(F(x.weights[i * kBlockPositions + j]), value, sums[i][u]);
      }
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < Queries; ++i) {
#pragma clang loop unroll(full)
    for (int u = 0; u < Vectors; ++u) {
      store<16>(results + i * stride + d + 16 * u, sums[i][u]);
    }
  }
}

template <int Queries, typename T>
UMBER_INLINE void addTogether(const WeightedValues<T> &x, const float *factors,
                              float *results, int64_t stride) {
  // One query's few sums would wait for each other.
  constexpr int kVectors = Queries == 1 ? 4 : Queries == 2 ? 2 : 1;
  int64_t d = 0;
  for (; d + 16 * kVectors <= stride; d += 16 * kVectors) {
    addVectors<Queries, kVectors>(x, factors, results, stride, d);
  }
  for (; d < stride; d += 16) {
    addVectors<Queries, 1>(x, factors, results, stride, d);
  }
}

template <int Queries, typename T>
UMBER_INLINE void addRest(const WeightedValues<T> &x, const float *factors,
                          int64_t count, float *results, int64_t stride) {
  if constexpr (Queries > 0) {
    if (count == Queries) {
      addTogether<Queries>(x, factors, results, stride);
    } else {
      addRest<Queries - 1>(x, factors, count, results, stride);
    }
  }
}

/// results[i] = results[i] * factors[i] + sum_j weights[i][j] * values[j] for
/// `count` queries, in rows of `stride` elements, whole vectors.
template <typename T>
__attribute__((noinline)) static void
addValues(WeightedValues<T> x, const float *factors, int64_t count,
          float *results, int64_t stride) {
  for (; count >= kValueQueries; count -= kValueQueries) {
    addTogether<kValueQueries>(x, factors, results, stride);
    x.weights += kValueQueries * kBlockPositions;
    factors += kValueQueries;
    results += kValueQueries * stride;
  }
  addRest<kValueQueries - 1>(x, factors, count, results, stride);
}

} // namespace umber

#endif // UMBER_TARGETS_CPU_UKERNELS_ATTENTIONPRODUCTS_H
