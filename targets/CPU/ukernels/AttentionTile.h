// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Flash-style attention (Dao et al. 2022, arXiv:2205.14135) of a tile of
// queries that see the same key/value head: one pass over a chunk of the cache
// in blocks of positions, with running maxima and sums, each block converted
// once for all of them.

#ifndef UMBER_TARGETS_CPU_UKERNELS_ATTENTIONTILE_H
#define UMBER_TARGETS_CPU_UKERNELS_ATTENTIONTILE_H

#include "targets/CPU/ukernels/AttentionProducts.h"

namespace umber {

/// One head of one row.
struct Query {
  const float *q;
  float *y;
  int64_t begin; // first position seen
  int64_t end;   // one past the last
};

struct AttentionShape {
  int64_t headDim;
  float scale;
  float softCap; // 0: none
};

/// What queries have seen so far: for each the largest score, the sum of
/// weights relative to it, and of values times these.
struct AttentionState {
  float *results; // rows of `stride` elements
  float *maxima, *totals;
  int64_t stride;

  /// Of `queries`, in so much memory: see AttentionScratch::stateElements.
  UMBER_MEMBER AttentionState(float *memory, int64_t queries, int64_t stride)
      : results(memory), maxima(memory + queries * stride),
        totals(maxima + queries), stride(stride) {}

  UMBER_MEMBER void clear(int64_t query) const {
    maxima[query] = -3.0e38f;
    totals[query] = 0.0f;
    for (int64_t d = 0; d < stride; d += 16) {
      store<16>(results + query * stride + d, Vec<float, 16>(0.0f));
    }
  }

  UMBER_MEMBER void copy(int64_t query, const AttentionState &from,
                         int64_t which) const {
    maxima[query] = from.maxima[which];
    totals[query] = from.totals[which];
    for (int64_t d = 0; d < stride; d += 16) {
      store<16>(results + query * stride + d,
                load<16>(from.results + which * stride + d));
    }
  }

  /// Adds what was seen after it.
  UMBER_MEMBER void merge(int64_t query, const AttentionState &later,
                          int64_t which) const {
    float mine = maxima[query], other = later.maxima[which];
    float most = other > mine ? other : mine;
    Vec<float, 4> factors =
        expNonPositive<4>(Vec<float, 4>{mine - most, other - most, 0.0f, 0.0f});
    maxima[query] = most;
    totals[query] =
        fma(later.totals[which], factors[1], totals[query] * factors[0]);
    for (int64_t d = 0; d < stride; d += 16) {
      float *to = results + query * stride + d;
      store<16>(to, fma(load<16>(later.results + which * stride + d),
                        Vec<float, 16>(factors[1]), load<16>(to) * factors[0]));
    }
  }

  UMBER_MEMBER void write(int64_t query, float *y, int64_t headDim) const {
    float inverse = 1.0f / totals[query];
    for (int64_t d = 0; d < headDim; ++d) {
      y[d] = results[query * stride + d] * inverse;
    }
  }
};

/// A worker's memory for a tile; see AttentionScratch.
class AttentionTile {
public:
  UMBER_MEMBER AttentionTile(float *memory, const AttentionScratch &sizes,
                             const AttentionShape &shape)
      : shape(shape), stride(sizes.rowElements()), block(memory),
        q(block + kBlockPositions * stride), weights(q + kTileQueries * stride),
        factors(weights + kTileQueries * kBlockPositions),
        sums(factors + kTileQueries),
        chunk(sums + kTileQueries, kTileQueries, stride),
        whole(sums + kTileQueries + sizes.stateElements(kTileQueries),
              kTileQueries, stride) {}

  const AttentionShape shape;

  /// Up to kTileQueries queries, of which none begins or ends before one that
  /// is in front of it.
  UMBER_MEMBER void setQueries(const Query *them, int64_t number) {
    queries = them;
    count = number;
    for (int64_t i = 0; i < count; ++i) {
      float *row = q + i * stride;
      for (int64_t d = 0; d < shape.headDim; ++d) {
        row[d] = queries[i].q[d];
      }
      for (int64_t d = shape.headDim; d < stride; ++d) {
        row[d] = 0.0f;
      }
    }
  }

  int64_t firstChunk() const { return queries[0].begin / kChunkPositions; }
  int64_t lastChunk() const {
    return (queries[count - 1].end - 1) / kChunkPositions;
  }

  /// Makes the chunk's state that of what the queries see of it. Not inlined:
  /// every kernel would get several copies.
  template <typename T>
  __attribute__((noinline)) void attendChunk(int64_t number,
                                             const CacheRows<T> &keys,
                                             const CacheRows<T> &values) {
    for (int64_t i = 0; i < count; ++i) {
      chunk.clear(i);
    }
    int64_t begin = number * kChunkPositions, end = begin + kChunkPositions;
    begin = begin < queries[0].begin ? queries[0].begin : begin;
    end = end < queries[count - 1].end ? end : queries[count - 1].end;
    for (int64_t p = begin / kBlockPositions * kBlockPositions; p < end;
         p += kBlockPositions) {
      attendBlock(p, keys, values);
    }
  }

  /// Adds the chunk's state to that of the whole, for the queries that see some
  /// of it.
  UMBER_MEMBER void addChunk(int64_t number) {
    for (int64_t i = 0; i < count; ++i) {
      if (queries[i].begin / kChunkPositions == number) {
        whole.copy(i, chunk, i);
      } else if (queries[i].begin / kChunkPositions < number &&
                 queries[i].end > number * kChunkPositions) {
        whole.merge(i, chunk, i);
      }
    }
  }

  AttentionState chunkState() const { return chunk; }
  AttentionState wholeState() const { return whole; }

private:
  using F = Vec<float, 16>;

  /// Which positions of a block query i sees, if any.
  struct Range {
    int64_t first, last;
    bool operator==(const Range &other) const {
      return first == other.first && last == other.last;
    }
  };
  UMBER_MEMBER Range rangeOf(int64_t i, int64_t position) const {
    int64_t first = queries[i].begin - position;
    int64_t last = queries[i].end - position;
    return {first < 0 ? 0 : first,
            last < kBlockPositions ? last : kBlockPositions};
  }

  /// Blocks of positions from a multiple of kBlockPositions on.
  template <typename T>
  UMBER_MEMBER void attendBlock(int64_t position, const CacheRows<T> &keys,
                                const CacheRows<T> &values) {
    int64_t lo = 0, hi = count;
    while (queries[lo].end <= position) {
      ++lo;
    }
    while (queries[hi - 1].begin >= position + kBlockPositions) {
      --hi;
    }
    Range seen = {rangeOf(lo, position).first, rangeOf(hi - 1, position).last};
    BlockRows<T> blockKeys = {keys.row(position), keys.length};
    BlockRows<T> blockValues = {values.row(position), values.length};
    // Rows of floats that are no whole vectors have nothing to read behind
    // them.
    bool isReadable = kHasScales<T> || shape.headDim % 16 == 0;
    if (isReadable && hi - lo <= kDirectKeys<T>) {
      multiplyByKeys(q + lo * stride, stride, hi - lo, blockKeys, seen.first,
                     seen.last, weights + lo * kBlockPositions);
    } else {
      convertRows(blockKeys, seen.first, seen.last, shape.headDim, block);
      multiplyByKeys(q + lo * stride, stride, hi - lo, converted(), seen.first,
                     seen.last, weights + lo * kBlockPositions);
    }
    F keyScales[2] = {1.0f, 1.0f}, valueScales[2] = {1.0f, 1.0f};
    if constexpr (kHasScales<T>) {
      for (int i = 0; i < 2; ++i) {
        keyScales[i] = load<16>(keys.scales + position + 16 * i);
        valueScales[i] = load<16>(values.scales + position + 16 * i);
      }
    }
    for (int64_t i = 0; i < count; ++i) {
      factors[i] = sums[i] = 0.0f;
    }
    for (int64_t i = lo; i < hi; ++i) {
      weigh(i, rangeOf(i, position), keyScales, valueScales);
    }
    for (int64_t i = 0; i < count; i += 16) {
      F factor = expNonPositive<16>(load<16>(factors + i));
      store<16>(factors + i, factor);
      store<16>(chunk.totals + i,
                fma(load<16>(chunk.totals + i), factor, load<16>(sums + i)));
    }
    if (isReadable && hi - lo <= kDirectValues<T>) {
      addBlock(blockValues, position, lo, hi);
    } else {
      convertRows(blockValues, seen.first, seen.last, shape.headDim, block);
      addBlock(converted(), position, lo, hi);
    }
  }

  BlockRows<float> converted() const { return {block, stride}; }

  /// Adds weighted values to the results of queries `lo` to `hi - 1`: exactly
  /// those that each sees.
  template <typename Element>
  UMBER_MEMBER void addBlock(const BlockRows<Element> &values, int64_t position,
                             int64_t lo, int64_t hi) {
    for (int64_t i = lo, next; i < hi; i = next) {
      Range range = rangeOf(i, position);
      for (next = i + 1; next < hi && rangeOf(next, position) == range;) {
        ++next;
      }
      addValues<Element>(
          {weights + i * kBlockPositions, values, range.first, range.last},
          factors + i, next - i, chunk.results + i * stride, stride);
    }
  }

  /// Turns query i's scores into weights relative to the new maximum, times
  /// the values' scales, and notes the sum of weights, and by how much the
  /// maximum has grown.
  UMBER_MEMBER void weigh(int64_t i, Range range, const F (&keyScales)[2],
                          const F (&valueScales)[2]) {
    float *row = weights + i * kBlockPositions;
    F scores[2];
    F most = F(chunk.maxima[i]);
    bool isWhole = range.first == 0 && range.last == kBlockPositions;
#pragma clang loop unroll(full)
    for (int half = 0; half < 2; ++half) {
      F s = load<16>(row + 16 * half) * keyScales[half] * shape.scale;
      if (shape.softCap > 0.0f) {
        s = shape.softCap * tanh(s / shape.softCap);
      }
      scores[half] = isWhole ? s : hideUnseen(s, range, 16 * half);
      most = scores[half] > most ? scores[half] : most;
    }
    float maximum = largest<16>(most);
    F total = F(0.0f);
#pragma clang loop unroll(full)
    for (int half = 0; half < 2; ++half) {
      F weight = expNonPositive<16>(scores[half] - maximum);
      total += weight;
      store<16>(row + 16 * half, weight * valueScales[half]);
    }
    sums[i] = sum<16>(total);
    factors[i] = chunk.maxima[i] - maximum;
    chunk.maxima[i] = maximum;
  }

  /// -inf in the lanes of positions that are not in the range; `first` is the
  /// first lane's.
  static UMBER_MEMBER F hideUnseen(F scores, Range range, int32_t first) {
    using I = Vec<int32_t, 16>;
    constexpr I kLane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    I lane = kLane + first;
    I isSeen =
        (lane >= I(int32_t(range.first))) & (lane < I(int32_t(range.last)));
    return isSeen != 0 ? scores : F(-__builtin_inff());
  }

  /// The largest lane; where one is NaN, that or NaN.
  template <int N>
  static UMBER_MEMBER float largest(Vec<float, N> v) {
    if constexpr (N == 2) {
      return v[0] > v[1] ? v[0] : v[1];
    } else {
      return largest<N / 2>(v.lo > v.hi ? v.lo : v.hi);
    }
  }

  /// tanh within a few ulp, through expNonPositive: tanh |z| = (1 - e) / (1 +
  /// e), e = exp(-2 |z|).
  static UMBER_MEMBER F tanh(F z) {
    F e = expNonPositive<16>(-2.0f * __builtin_elementwise_abs(z));
    return __builtin_elementwise_copysign((1.0f - e) / (1.0f + e), z);
  }

  int64_t stride;
  float *block; // of keys, then of values
  float *q, *weights, *factors, *sums;
  AttentionState chunk, whole;
  const Query *queries = nullptr;
  int64_t count = 0;
};

} // namespace umber

#endif // UMBER_TARGETS_CPU_UKERNELS_ATTENTIONTILE_H
