// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Look-up tables in their stored form: 7-bit entries and an f16 scale.

#ifndef UMBER_PASSES_COMPRESSION_PALETTE_TABLES_H
#define UMBER_PASSES_COMPRESSION_PALETTE_TABLES_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace umber::palette {

/// The nearest f16, and what its bits stand for.
uint16_t toHalf(float value);
float fromHalf(uint16_t bits);

/// One table per group of rows.
struct Tables {
  int64_t groups, count; ///< `count` entries in each
  std::vector<int8_t> entries;
  std::vector<uint16_t> scales; ///< bits of f16

  Tables(int64_t groups, int64_t count)
      : groups(groups), count(count), entries(groups * count), scales(groups) {}

  llvm::MutableArrayRef<int8_t> getEntries(int64_t group) {
    return {&entries[group * count], size_t(count)};
  }
  llvm::ArrayRef<int8_t> getEntries(int64_t group) const {
    return {&entries[group * count], size_t(count)};
  }
  float getScale(int64_t group) const { return fromHalf(scales[group]); }

  /// Makes a group's table that of another's.
  void copy(int64_t group, const Tables &from, int64_t fromGroup);

  /// Midpoints between integers are multiples of one half: in each of 256 cells
  /// of that width, from -64 on, all numbers have the same nearest entry.
  /// Writes code + 256 * entry per cell, so that nearest-entry search costs one
  /// load at any width of the codes.
  void fillCells(int64_t group, int32_t *cells) const;
  static constexpr int cellCount = 256;

  /// Sets a group's entries and scale so that `entries * scale`, as a vector t,
  /// makes (t - target)^T metric (t - target) small, over candidate scales;
  /// from the entries nearest by, each is changed to what is best while the
  /// others stay. `metric` is count x count, symmetric. Returns that form's
  /// value.
  double round(int64_t group, llvm::ArrayRef<double> target,
               llvm::ArrayRef<double> metric);
};

} // namespace umber::palette

#endif // UMBER_PASSES_COMPRESSION_PALETTE_TABLES_H
