// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How packages hold encoded matrices: the one description that the compiler,
// the runtime's checks and the microkernels share. Microkernels are compiled
// without any library, so this header depends on nothing.
//
// A matrix is cut into panels of kPanelRows rows, the last one filled up. A
// panel is
//
//     tables | scales | codes
//
// Tables: 2^bits int8 entries for every block of rows that the panel touches,
// from the first, and every block of columns. Scales: an f16 for every block of
// theirs, in the same order. A block that the panel does not touch, or that the
// matrix does not have, is zeros.
//
// Codes stand quad by quad: kQuadColumns columns, the last quad filled up with
// zeros, are kQuadLanes codes, and lane 4r + j is row r's, column 4q + j's. A
// quad of b bits is 16b bytes. Where its bits are is what makes vectors fast to
// read: the codes of 16 lanes are bits of the low halves, or of the high
// halves, of 16 bytes, so that a shift and a mask make them indices into 16
// entries, and the table is spread out to the bits that are not theirs.
//
// 1, 2, 4 and 8 bits: byte i holds lane 16b * k + i in bits b * k to
// b * k + b - 1. 6 bits: so, 4 and then 2 of them. 3 bits: of lane 16g + i,
// byte 16 (g mod 2) + i for g below 4, byte 32 + i else:
//
//     g      bit 0           bit 1           bit 2
//     0, 1   0               1               2
//     2, 3   4               5               7
//     4      0               2               3       of byte 32 + i
//     5      4               6               7
//     6, 7   1 or 5 there    6               3       of byte 16 (g mod 2) + i

#ifndef UMBER_RUNTIME_PACKAGE_PANELENCODING_H
#define UMBER_RUNTIME_PACKAGE_PANELENCODING_H

#include <stdint.h>

namespace umber {

/// Packages hold matrices in panels of so many rows, the last one filled up.
inline constexpr int64_t kPanelRows = 32;

/// Encoded matrices stand in a panel by so many columns at a time, the last
/// filled up.
inline constexpr int64_t kQuadColumns = 4;

/// Codes of a quad.
inline constexpr int64_t kQuadLanes = kPanelRows * kQuadColumns;

/// What a parameter's layout is called in a package's metadata.
inline constexpr char kEncodedPanelsLayout[] = "panel32quad4nibbles";

/// An encoding, applied to a matrix of so many columns. Blocks of a table or a
/// scale begin at multiples of their height and width, which divides `columns`.
/// Generated code passes this to microkernels as an array of int64_t.
struct PanelEncoding {
  int64_t columns;
  int64_t bits;      ///< of a code
  int64_t tableRows; ///< of a block with one table; 0: codes are the values
  int64_t tableColumns;
  int64_t scaleRows; ///< of a block with one scale
  int64_t scaleColumns;

  constexpr bool hasTables() const { return tableRows != 0; }
  /// Whether four rows always share tables, so small that vectors hold them.
  constexpr bool hasVectorTables() const {
    return hasTables() && bits <= 6 && tableRows % 4 == 0;
  }
  /// Whether vectors can read whole quads, with inputs in groups of `group`
  /// columns: all codes of a quad's row have one table, scale and group.
  constexpr bool isReadByQuads(int64_t group) const {
    return (hasVectorTables() || (!hasTables() && bits == 8)) &&
           isWholeQuads(group) && isWholeQuads(scaleColumns) &&
           (!hasTables() || isWholeQuads(tableColumns));
  }
  constexpr int64_t getEntries() const { return int64_t(1) << bits; }

  /// How many blocks of `height` rows a panel touches at most.
  static constexpr int64_t getBlocksPerPanel(int64_t height) {
    if (height % kPanelRows == 0) {
      return 1;
    }
    if (height > kPanelRows) {
      return 2;
    }
    return kPanelRows % height == 0
               ? kPanelRows / height
               : (kPanelRows - 1 + height - 1) / height + 1;
  }

  constexpr int64_t getTableBytes() const {
    return hasTables() ? getBlocksPerPanel(tableRows) *
                             (columns / tableColumns) * getEntries()
                       : 0;
  }
  constexpr int64_t getScaleBytes() const {
    return getBlocksPerPanel(scaleRows) * (columns / scaleColumns) * 2;
  }
  constexpr int64_t getQuads() const {
    return (columns + kQuadColumns - 1) / kQuadColumns;
  }
  constexpr int64_t getQuadBytes() const { return kQuadLanes / 8 * bits; }
  /// Where a panel's codes begin.
  constexpr int64_t getCodesOffset() const {
    return getTableBytes() + getScaleBytes();
  }
  constexpr int64_t getPanelBytes() const {
    return getCodesOffset() + getQuads() * getQuadBytes();
  }
  /// Bytes of a matrix of `rows` rows.
  constexpr int64_t getBytes(int64_t rows) const {
    return (rows + kPanelRows - 1) / kPanelRows * getPanelBytes();
  }

  /// Which of a panel's tables serves row `firstRow` + `row`, where the panel
  /// begins at `firstRow`.
  constexpr int64_t getTable(int64_t firstRow, int64_t row,
                             int64_t column) const {
    return getBlock(firstRow, row, tableRows) * (columns / tableColumns) +
           column / tableColumns;
  }
  constexpr int64_t getScale(int64_t firstRow, int64_t row,
                             int64_t column) const {
    return getBlock(firstRow, row, scaleRows) * (columns / scaleColumns) +
           column / scaleColumns;
  }

  struct BitPlace {
    int64_t byte; ///< of the quad
    int64_t bit;  ///< of the byte
  };
  /// Where bit `bit` of a lane's code is.
  static constexpr BitPlace getBitPlace(int64_t bits, int64_t lane,
                                        int64_t bit) {
    if (bits == 3) {
      return getBitPlaceOf3(lane / 16, lane % 16, bit);
    }
    // Planes of 6 bits.
    int64_t first = bits == 6 && bit >= 4 ? 4 : 0;
    int64_t width = bits != 6 ? bits : first == 0 ? 4 : 2;
    return {16 * first + lane % (16 * width),
            lane / (16 * width) * width + bit - first};
  }
  /// The code of a lane of a quad.
  constexpr uint8_t getCode(const uint8_t *quad, int64_t lane) const {
    int code = 0;
    for (int64_t bit = 0; bit < bits; ++bit) {
      BitPlace place = getBitPlace(bits, lane, bit);
      code |= (quad[place.byte] >> place.bit & 1) << bit;
    }
    return static_cast<uint8_t>(code);
  }

private:
  constexpr bool isWholeQuads(int64_t width) const {
    return width % kQuadColumns == 0 || width == columns;
  }
  static constexpr BitPlace getBitPlaceOf3(int64_t group, int64_t i,
                                           int64_t bit) {
    int64_t half = group % 2;
    switch (group / 2) {
    case 0:
      return {16 * half + i, bit};
    case 1:
      return {16 * half + i, 4 + bit + (bit == 2)};
    case 2:
      return {32 + i, 4 * half + bit + (bit != 0)};
    }
    if (bit == 0) {
      return {32 + i, 4 * half + 1};
    }
    return {16 * half + i, bit == 1 ? 6 : 3};
  }
  static constexpr int64_t getBlock(int64_t firstRow, int64_t row,
                                    int64_t height) {
    return (firstRow + row) / height - firstRow / height;
  }
};

} // namespace umber

#endif // UMBER_RUNTIME_PACKAGE_PANELENCODING_H
