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

/// The sum of columns `begin` to `end - 1`, of `group`.
UMBER_INLINE int32_t getSum(const QuantizedRow &form, const int8_t *row,
                            int64_t begin, int64_t end) {
  int64_t group = begin / form.group;
  if (end - begin == form.group) {
    return loadAs<int32_t>(row + form.getSumsOffset() + 4 * group);
  }
  int32_t sum = 0;
  for (int64_t c = begin; c < end; ++c) {
    sum += row[c];
  }
  return sum;
}

/// results += sums * scales of weights * scale of x.
template <int Bias>
UMBER_INLINE void combine(const PanelReader &reader, const QuantizedRow &form,
                          const int8_t *row, int64_t begin, int64_t end,
                          const int32_t *sums, float *results) {
  float scale =
      loadAs<float>(row + form.getScalesOffset() + 4 * (begin / form.group));
  int32_t excess = Bias == 0 ? 0 : Bias * getSum(form, row, begin, end);
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
