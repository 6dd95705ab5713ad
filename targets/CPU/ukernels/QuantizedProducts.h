// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums of products of integers, a panel's rows at a time, to f32.

#ifndef UMBER_TARGETS_CPU_UKERNELS_QUANTIZEDPRODUCTS_H
#define UMBER_TARGETS_CPU_UKERNELS_QUANTIZEDPRODUCTS_H

#include "targets/CPU/ukernels/PanelReader.h"
#include "targets/Common/QuantizedRows.h"

namespace umber {

/// Vectors with a lane per row of a panel.
inline constexpr int kRowVectors = int(kPanelRows) / kLanes;

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

/// Runs of columns that share tables and scales of weights and a group of x, in
/// their order, for panels of one matrix. Without divisions for each run: with
/// 64 columns in a group they would take as long as the products.
class Runs {
public:
  UMBER_MEMBER Runs(PanelReader *readers, int64_t panels, const Groups &groups,
                    int64_t columns)
      : readers(readers), panels(panels), groupSize(groups.size),
        columns(columns) {}

  int64_t begin = 0, end = 0; ///< columns of this run
  int64_t group = -1;

  /// Goes to the first or next run; false after the last.
  UMBER_MEMBER bool next() {
    begin = end;
    if (begin == columns) {
      return false;
    }
    if (begin == weightsEnd) {
      for (int64_t i = 0; i < panels; ++i) {
        readers[i].moveTo(begin);
      }
      weightsEnd = readers->getEnd(begin);
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
  int64_t panels, groupSize, columns, weightsEnd = 0, groupEnd = 0;
};

/// results += sums of a run's products * scales of weights * scale of x.
template <int Bias>
UMBER_INLINE void combine(const PanelReader &reader, const Groups &groups,
                          const Runs &run, const int8_t *row,
                          const int32_t *sums, float *results) {
  float scale = groups.getScale(row, run.group);
  int32_t excess =
      Bias == 0 ? 0 : Bias * groups.getSum(row, run.group, run.begin, run.end);
#pragma clang loop unroll(full)
  for (int v = 0; v < kRowVectors; ++v) {
    Words exact = loadAs<Words>(sums + v * kLanes) - Words(excess);
    Floats scales = loadAs<Floats>(reader.scales + v * kLanes) * Floats(scale);
    Floats sum = loadAs<Floats>(results + v * kLanes);
    storeAs(results + v * kLanes,
            fma(__builtin_convertvector(exact, Floats), scales, sum));
  }
}

} // namespace umber

#endif // UMBER_TARGETS_CPU_UKERNELS_QUANTIZEDPRODUCTS_H
