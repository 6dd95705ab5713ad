// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a buffer holds rows of quantized activations, for the compiler and for
// microkernels, which are compiled without any library. A row is
//
//     int8 values, zeros up to a multiple of 64 | f32 scales | int32 sums
//
// with a scale and the sum of the values for every group of columns, and fills
// whole cache lines.

#ifndef UMBER_TARGETS_COMMON_QUANTIZEDROWS_H
#define UMBER_TARGETS_COMMON_QUANTIZEDROWS_H

#include <stdint.h>

namespace umber {

/// Up to so many rows are multiplied by an encoded matrix as one row is,
/// straight from its codes (umber_uk_linear_encoded_few).
inline constexpr int64_t kFewTokens = 8;

struct QuantizedRow {
  int64_t columns;
  int64_t group; ///< columns that share a scale; divides `columns`

  constexpr int64_t getGroups() const { return columns / group; }
  constexpr int64_t getScalesOffset() const { return alignToLine(columns); }
  constexpr int64_t getSumsOffset() const {
    return getScalesOffset() + 4 * getGroups();
  }
  constexpr int64_t getBytes() const {
    return alignToLine(getSumsOffset() + 4 * getGroups());
  }

private:
  static constexpr int64_t alignToLine(int64_t bytes) {
    return (bytes + 63) / 64 * 64;
  }
};

} // namespace umber

#endif // UMBER_TARGETS_COMMON_QUANTIZEDROWS_H
