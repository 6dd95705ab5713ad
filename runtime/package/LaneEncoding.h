// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How packages hold matrices for GPUs, where 32 threads, the lanes, compute a
// row each: all that the lanes load at a time is one run of bytes, and what a
// lane loads is up to 16 bytes at a multiple of as many.
//
// A matrix is cut into panels of kPanelRows rows, the last one filled up with
// zeros; lane r has row r of a panel. All is in words of 32 bits.
//
// A plain matrix's panel is units of 4 words for each lane, which hold
// consecutive columns, 4 of f32 or 8 of f16, the last unit filled up with
// zeros: word i of unit u of lane r is word (32 u + r) 4 + i of the panel.
//
// An encoded matrix's panel is
//
//     tables | scales | codes
//
// Tables and scales are as in PanelEncoding.h, each filled up to a multiple of
// 4 words. Codes stand in blocks of kBlockColumns columns, the last one filled
// up with zeros. A block of b bits is b words for each lane, and word i of
// block k of lane r is word (32 k + r) b + i of the codes. The lane's b words,
// from the lowest bit of the first, are the codes of the block's columns in
// order.

#ifndef UMBER_RUNTIME_PACKAGE_LANEENCODING_H
#define UMBER_RUNTIME_PACKAGE_LANEENCODING_H

#include "runtime/package/PanelEncoding.h"

namespace umber {

/// The target whose matrices stand so.
inline constexpr char kGpuTarget[] = "gpu";

/// Columns of a block of codes.
inline constexpr int64_t kBlockColumns = 32;

/// Parts of a panel begin at multiples of so many words.
inline constexpr int64_t kVectorWords = 4;

/// What parameters' layouts are called in a package's metadata.
inline constexpr char kLanesLayout[] = "lanes32";
inline constexpr char kEncodedLanesLayout[] = "lanes32block32";

/// A plain matrix of so many columns.
struct PlainLanes {
  int64_t columns;
  int64_t elementBits; ///< 16 or 32

  constexpr int64_t getUnitColumns() const {
    return kVectorWords * 32 / elementBits;
  }
  constexpr int64_t getUnits() const {
    return (columns + getUnitColumns() - 1) / getUnitColumns();
  }
  constexpr int64_t getPanelWords() const {
    return getUnits() * kPanelRows * kVectorWords;
  }
  constexpr int64_t getBytes(int64_t rows) const {
    return (rows + kPanelRows - 1) / kPanelRows * getPanelWords() * 4;
  }
};

/// An encoded matrix.
struct LaneEncoding {
  PanelEncoding encoding;

  constexpr int64_t getTableWords() const {
    return toVectors(encoding.getTableBytes());
  }
  constexpr int64_t getScaleWords() const {
    return toVectors(encoding.getScaleBytes());
  }
  constexpr int64_t getBlocks() const {
    return (encoding.columns + kBlockColumns - 1) / kBlockColumns;
  }
  /// Where a panel's codes begin.
  constexpr int64_t getCodesOffset() const {
    return getTableWords() + getScaleWords();
  }
  constexpr int64_t getPanelWords() const {
    return getCodesOffset() + getBlocks() * kPanelRows * encoding.bits;
  }
  constexpr int64_t getBytes(int64_t rows) const {
    return (rows + kPanelRows - 1) / kPanelRows * getPanelWords() * 4;
  }

private:
  static constexpr int64_t toVectors(int64_t bytes) {
    return (bytes + 4 * kVectorWords - 1) / (4 * kVectorWords) * kVectorWords;
  }
};

} // namespace umber

#endif // UMBER_RUNTIME_PACKAGE_LANEENCODING_H
