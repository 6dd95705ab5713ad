// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of encoded and quantized rows, as every microkernel makes them, bit
// for bit the same for any number of tokens and workers: exact sums of integers
// over a run of columns, which one table and one scale of each operand serve;
// those, times the scale of x, summed in f32 over the runs that one scale of
// the weights serves, in the columns' order; and those, times that scale, over
// all.

#ifndef UMBER_TARGETS_CPU_UKERNELS_QUANTIZEDPRODUCTS_H
#define UMBER_TARGETS_CPU_UKERNELS_QUANTIZEDPRODUCTS_H

#include "targets/CPU/ukernels/PanelReader.h"
#include "targets/Common/QuantizedRows.h"

namespace umber {

/// Vectors with a lane per row of a panel.
inline constexpr int kRowVectors = int(kPanelRows) / kLanes;

/// Vectors of rows whose sums stay in registers for kTileTokens tokens.
#if defined(__AVX512F__)
inline constexpr int kTileTokens = 8, kTileVectors = 2;
#elif defined(__AVX2__)
inline constexpr int kTileTokens = 4, kTileVectors = 2;
#else
inline constexpr int kTileTokens = 4, kTileVectors = 4;
#endif
static_assert(kRowVectors % kTileVectors == 0, "tiles cover a panel");

using Floats = Vec<float, kLanes>;

template <typename V, typename T>
UMBER_INLINE V loadAs(const T *p) {
  V v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

template <typename V, typename T>
UMBER_INLINE void storeAs(T *p, V v) {
  __builtin_memcpy(p, &v, sizeof v);
}

/// Where rows of quantized x, one of them at `row`, have what belongs to their
/// groups.
class Groups {
public:
  explicit Groups(const QuantizedRow &form)
      : size(form.group), scalesAt(form.getScalesOffset()),
        sumsAt(form.getSumsOffset()) {}

  const int64_t size; ///< columns

  float getScale(const int8_t *row, int64_t group) const {
    return loadAs<float>(row + scalesAt + 4 * group);
  }
  /// The sum of columns `begin` to `end - 1`, all of `group`.
  UMBER_MEMBER int32_t getSum(const int8_t *row, int64_t group, int64_t begin,
                              int64_t end) const {
    if (end - begin == size) {
      return loadAs<int32_t>(row + sumsAt + 4 * group);
    }
    int32_t sum = 0;
    for (int64_t c = begin; c < end; ++c) {
      sum += row[c];
    }
    return sum;
  }

private:
  int64_t scalesAt, sumsAt; // in bytes
};

/// Runs of columns that share tables of weights and a group of x, in their
/// order, for panels of one matrix. Without divisions for each run: with 64
/// columns in a group they would take as long as the products.
class Runs {
public:
  /// Of columns `begin` to `last - 1`, which one scale of the weights serves;
  /// the readers have been moved to `begin`.
  UMBER_MEMBER Runs(PanelReader *readers, int64_t panels, const Groups &groups,
                    int64_t begin, int64_t last)
      : end(begin), group(begin / groups.size), readers(readers),
        panels(panels), groupSize(groups.size), last(last),
        weightsEnd(readers->getEnd()), groupEnd((group + 1) * groupSize) {}

  int64_t begin = 0, end; ///< columns of this run
  int64_t group;

  /// Goes to the first or next run; false after the last.
  UMBER_MEMBER bool next() {
    begin = end;
    if (begin == last) {
      return false;
    }
    if (begin == weightsEnd) {
      for (int64_t i = 0; i < panels; ++i) {
        readers[i].moveTo(begin);
      }
      weightsEnd = readers->getEnd();
    }
    if (begin == groupEnd) {
      ++group;
      groupEnd += groupSize;
    }
    end = weightsEnd < groupEnd ? weightsEnd : groupEnd;
    return true;
  }

private:
  PanelReader *readers;
  int64_t panels, groupSize, last, weightsEnd, groupEnd;
};

/// What a run's sums begin with, so that what weights have had added does not
/// count.
template <int Bias>
UMBER_INLINE int32_t getStart(const Groups &groups, const Runs &run,
                              const int8_t *row) {
  return Bias == 0 ? 0
                   : -Bias * groups.getSum(row, run.group, run.begin, run.end);
}

/// Adds products of `quads` quads to sums of `Tokens` rows of x, whose quads
/// begin at x[t], and `Vectors` vectors of rows of weights, which
/// `read(quad, Constant<vector>())` returns.
template <int Bias, int Tokens, int Vectors, typename Read>
UMBER_INLINE void multiplyTile(int64_t quads, const int8_t *const (&x)[Tokens],
                               Words (&sums)[Tokens][Vectors], Read read) {
  for (int64_t q = 0; q < quads; ++q) {
    Bytes quad[Tokens];
#pragma clang loop unroll(full)
    for (int t = 0; t < Tokens; ++t) {
      quad[t] = (Bytes)Words(loadAs<int32_t>(x[t] + q * kQuadColumns));
    }
    forConstants<Vectors>([&](auto v) {
      Bytes weights = read(q, v);
#pragma clang loop unroll(full)
      for (int t = 0; t < Tokens; ++t) {
        sums[t][v.value] =
            addProducts<Bias>(sums[t][v.value], weights, quad[t]);
      }
    });
  }
}

/// Adds a vector of a run's sums, times the scale of x.
UMBER_INLINE void addScaled(Words sums, float scale, float *partial) {
  storeAs(partial, fma(__builtin_convertvector(sums, Floats), Floats(scale),
                       loadAs<Floats>(partial)));
}

/// Adds what the runs of one scale of the weights summed up to, and starts
/// anew.
UMBER_INLINE void finishScale(const PanelReader &reader, float *partial,
                              float *results) {
#pragma clang loop unroll(full)
  for (int v = 0; v < kRowVectors; ++v) {
    int at = v * kLanes;
    storeAs(results + at, fma(loadAs<Floats>(partial + at),
                              loadAs<Floats>(reader.scales + at),
                              loadAs<Floats>(results + at)));
    storeAs(partial + at, Floats(0.0f));
  }
}

} // namespace umber

#endif // UMBER_TARGETS_CPU_UKERNELS_QUANTIZEDPRODUCTS_H
