// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows of f32 to rows of small integers (targets/Common/QuantizedRows.h).

#include "targets/CPU/ukernels/Vector.h"
#include "targets/Common/QuantizedRows.h"

using namespace umber;

namespace {

constexpr int kWidth = 16;
using Floats = Vec<float, kWidth>;

/// round_half_even(x / scale), in [-range, range], also for NaN.
template <typename V>
UMBER_INLINE V quantize(V x, V scale, V range) {
  V q = __builtin_elementwise_roundeven(x / scale);
  q = __builtin_elementwise_min(q, range);
  return __builtin_elementwise_max(q, -range);
}

/// Writes a group's values and returns their sum.
UMBER_INLINE int32_t quantizeGroup(const float *x, int64_t count, float scale,
                                   float range, int8_t *values) {
  if (scale == 0.0f) {
    for (int64_t i = 0; i < count; ++i) {
      values[i] = 0;
    }
    return 0;
  }
  using Words = Vec<int32_t, kWidth>;
  Words totals = 0;
  int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) {
    Floats q = quantize<Floats>(load<kWidth>(x + i), scale, range);
    Words words = __builtin_convertvector(q, Words);
    auto bytes = __builtin_convertvector(words, Vec<int8_t, kWidth>);
    __builtin_memcpy(values + i, &bytes, sizeof bytes);
    totals += words;
  }
  int32_t total = __builtin_reduce_add(totals);
  for (; i < count; ++i) {
    values[i] = int8_t(quantize<float>(x[i], scale, range));
    total += values[i];
  }
  return total;
}

} // namespace

/// Quantizes groups `first` to `last - 1` of a row of `columns` columns in
/// groups of `group`, to integers of at most `range` in magnitude. Offsets are
/// in words. The scale of a group with a NaN or an infinity is NaN.
UMBER_UKERNEL void umber_uk_quantize(const float *x, int64_t xOffset, float *y,
                                     int64_t yOffset, int64_t columns,
                                     int64_t group, int64_t range,
                                     int64_t first, int64_t last) {
  QuantizedRow form = {columns, group};
  auto *row = reinterpret_cast<int8_t *>(y + yOffset);
  for (int64_t g = first; g < last; ++g) {
    const float *in = x + xOffset + g * group;
    float scale = largestMagnitude(in, group) / float(range);
    int32_t sum =
        quantizeGroup(in, group, scale, float(range), row + g * group);
    __builtin_memcpy(row + form.getScalesOffset() + 4 * g, &scale,
                     sizeof scale);
    __builtin_memcpy(row + form.getSumsOffset() + 4 * g, &sum, sizeof sum);
  }
  if (last == form.getGroups()) {
    for (int64_t c = columns; c < form.getScalesOffset(); ++c) {
      row[c] = 0;
    }
  }
}

/// Writes the f32 that a quantized row of `columns` columns in groups of
/// `group` stands for. Offsets are in words.
UMBER_UKERNEL void umber_uk_dequantize(const float *x, int64_t xOffset,
                                       float *y, int64_t yOffset,
                                       int64_t columns, int64_t group) {
  QuantizedRow form = {columns, group};
  const auto *row = reinterpret_cast<const int8_t *>(x + xOffset);
  for (int64_t c = 0; c < columns; ++c) {
    float scale;
    __builtin_memcpy(&scale, row + form.getScalesOffset() + 4 * (c / group),
                     sizeof scale);
    y[yOffset + c] = float(row[c]) * scale;
  }
}
