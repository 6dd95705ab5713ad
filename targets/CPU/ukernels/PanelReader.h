// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads a panel of an encoded matrix (runtime/package/PanelEncoding.h), a run
// of columns at a time, as bytes in the order of its codes: lane 4r + j of a
// quad.

#ifndef UMBER_TARGETS_CPU_UKERNELS_PANELREADER_H
#define UMBER_TARGETS_CPU_UKERNELS_PANELREADER_H

#include "runtime/package/PanelEncoding.h"
#include "targets/CPU/ukernels/Bytes.h"

namespace umber {

/// Vectors of a quad.
inline constexpr int kQuadVectors = kQuadLanes / kBytes;
/// Rows of a panel that 16 bytes of a quad hold: those that one table lookup
/// serves.
inline constexpr int64_t kLookupRows = 16 / kQuadColumns;

template <int N>
UMBER_INLINE Vec<uint8_t, kBytes> repeat(Vec<uint8_t, N> v) {
  if constexpr (N == kBytes) {
    return v;
  } else {
    Vec<uint8_t, 2 * N> twice;
    twice.lo = v;
    twice.hi = v;
    return repeat<2 * N>(twice);
  }
}

/// Vector `vector` of a quad's fields in a plane of `Width` bits, each `up`
/// bits up in its byte.
template <int Width>
UMBER_INLINE Bytes unpack(const uint8_t *plane, int vector, int up = 0) {
  constexpr int kField = 16 * Width;
  constexpr int kLoaded = kField < kBytes ? kField : kBytes;
  int first = vector * kBytes;
  Vec<uint8_t, kLoaded> loaded;
  __builtin_memcpy(&loaded, plane + first % kField, sizeof loaded);
  // Shifted as words, the one way or the other: what crosses a byte's border is
  // masked off.
  Vec<uint32_t, kLanes> down, left;
#pragma clang loop unroll(full)
  for (int i = 0; i < kLanes; ++i) {
    int shift = (first + 4 * i) / kField * Width - up;
    down[i] = shift > 0 ? shift : 0;
    left[i] = shift < 0 ? -shift : 0;
  }
  auto words = (Vec<uint32_t, kLanes>)repeat<kLoaded>(loaded) >> down << left;
  return (Bytes)words & Bytes(((1 << Width) - 1) << up);
}

class PanelReader {
public:
  /// Bytes read have `bias` added. The panel begins at row `firstRow`.
  UMBER_MEMBER PanelReader(const PanelEncoding &encoding, const uint8_t *panel,
                           int64_t firstRow, int bias)
      : encoding(encoding), panel(panel), firstRow(firstRow), bias(bias),
        hasFastTables(encoding.hasVectorTables()) {}

  /// The first column after `column` that other tables or scales may serve.
  UMBER_MEMBER int64_t getEnd(int64_t column) const {
    int64_t end = (column / encoding.scaleColumns + 1) * encoding.scaleColumns;
    int64_t tableEnd =
        (column / encoding.tableColumns + 1) * encoding.tableColumns;
    return tableEnd < end ? tableEnd : end;
  }

  /// Makes tables and scales those of `column`.
  UMBER_MEMBER void moveTo(int64_t column) {
    int64_t at = column / encoding.scaleColumns;
    if (at != scaleAt) {
      loadScales(at);
      scaleAt = at;
    }
    at = column / encoding.tableColumns;
    if (encoding.hasTables() && at != tableAt) {
      loadTables(at);
      tableAt = at;
    }
  }

  /// The values of quads `first` to `first + count - 1`, by the current tables:
  /// in `buffer`, or where they stand. Not inlined: every caller would get a
  /// copy for each width.
  __attribute__((noinline)) const uint8_t *read(int64_t first, int64_t count,
                                                uint8_t *buffer) const {
    const uint8_t *codes = getCodes(first);
    if (!encoding.hasTables()) {
      return bias == 0 ? codes : readValues(codes, count, buffer);
    }
    if (!hasFastTables) {
      readSlowly(codes, count, buffer);
      return buffer;
    }
    switch (encoding.bits) {
    case 1:
      readPalette<1>(codes, count, buffer);
      break;
    case 2:
      readPalette<2>(codes, count, buffer);
      break;
    case 3:
      readPalette<3>(codes, count, buffer);
      break;
    case 4:
      readPalette<4>(codes, count, buffer);
      break;
    default:
      readPalette<6>(codes, count, buffer);
      break;
    }
    return buffer;
  }

  /// The codes of quad `quad`.
  const uint8_t *getCodes(int64_t quad) const {
    return panel + encoding.getCodesOffset() + quad * encoding.getQuadBytes();
  }

  /// Vector `vector` of the values of a quad, where encoding.isReadByQuads()
  /// and codes are of `Bits` bits.
  template <int Bits>
  UMBER_MEMBER Bytes readVector(const uint8_t *quad, int vector) const {
    Bytes table = loadBytes(&lookups[0][vector * kBytes]);
    if constexpr (Bits == 8) {
      return loadBytes(quad + vector * kBytes) + Bytes(bias);
    } else if constexpr (Bits == 3) {
      return lookUp(table, unpack<2>(quad, vector) |
                               unpack<1>(quad + 32, vector, /*up=*/2));
    } else if constexpr (Bits == 6) {
      Bytes low = unpack<4>(quad, vector);
      Bytes high = unpack<2>(quad + 64, vector);
      Bytes values = lookUp(table, low);
#pragma clang loop unroll(full)
      for (int part = 1; part < 4; ++part) {
        table = loadBytes(&lookups[part][vector * kBytes]);
        values = high == Bytes(part) ? lookUp(table, low) : values;
      }
      return values;
    } else {
      return lookUp(table, unpack<Bits>(quad, vector));
    }
  }

  /// Each row's scale.
  float scales[kPanelRows];

private:
  /// Calls `use(row, block)` for a panel's rows and which of its blocks, from 0
  /// on, they are in.
  template <typename F>
  UMBER_MEMBER void forRows(int64_t firstRow, int64_t height, F use) {
    int64_t end = height == 1 ? 1 : height - firstRow % height;
    for (int64_t r = 0, block = 0; r < kPanelRows; ++block, end += height) {
      for (; r < end && r < kPanelRows; ++r) {
        use(r, block);
      }
    }
  }

  UMBER_MEMBER void loadScales(int64_t at) {
    auto *stored =
        reinterpret_cast<const half *>(panel + encoding.getTableBytes()) + at;
    int64_t stride = encoding.columns / encoding.scaleColumns;
    forRows(firstRow, encoding.scaleRows, [&](int64_t r, int64_t block) {
      scales[r] = float(stored[block * stride]);
    });
  }

  UMBER_MEMBER void loadTables(int64_t at) {
    int64_t stride = encoding.columns / encoding.tableColumns;
    forRows(firstRow, encoding.tableRows, [&](int64_t r, int64_t block) {
      tables[r] = panel + (block * stride + at) * encoding.getEntries();
    });
    if (!hasFastTables) {
      return;
    }
    // Small tables are read beyond their ends, where scales and codes follow.
    using Entries = Vec<uint8_t, 16>;
    int64_t parts = encoding.bits == 6 ? 4 : 1;
    for (int64_t part = 0; part < parts; ++part) {
      for (int64_t i = 0; i < kQuadLanes; i += 16) {
        Entries entries;
        __builtin_memcpy(&entries, tables[i / 16 * kLookupRows] + part * 16,
                         sizeof entries);
        entries += Entries(bias);
        __builtin_memcpy(&lookups[part][i], &entries, sizeof entries);
      }
    }
  }

  template <int Bits>
  UMBER_MEMBER void readPalette(const uint8_t *codes, int64_t count,
                                uint8_t *buffer) const {
    for (int64_t q = 0; q < count; ++q) {
#pragma clang loop unroll(full)
      for (int v = 0; v < kQuadVectors; ++v) {
        Bytes values = readVector<Bits>(codes + q * 16 * Bits, v);
        __builtin_memcpy(buffer + q * kQuadLanes + v * kBytes, &values,
                         sizeof values);
      }
    }
  }

  /// Tables of 256 entries, and those that fewer than kLookupRows rows share.
  __attribute__((noinline)) void readSlowly(const uint8_t *codes, int64_t count,
                                            uint8_t *buffer) const {
    for (int64_t q = 0; q < count; ++q) {
      for (int64_t lane = 0; lane < kQuadLanes; ++lane) {
        uint8_t code =
            encoding.getCode(codes + q * encoding.getQuadBytes(), lane);
        buffer[q * kQuadLanes + lane] =
            tables[lane / kQuadColumns][code] + bias;
      }
    }
  }

  UMBER_MEMBER const uint8_t *readValues(const uint8_t *codes, int64_t count,
                                         uint8_t *buffer) const {
    for (int64_t i = 0; i < count * kQuadLanes; i += kBytes) {
      Bytes values = loadBytes(codes + i) + Bytes(bias);
      __builtin_memcpy(buffer + i, &values, sizeof values);
    }
    return buffer;
  }

  const PanelEncoding &encoding;
  const uint8_t *panel;
  int64_t firstRow;
  int bias;
  bool hasFastTables;
  int64_t tableAt = -1, scaleAt = -1;
  const uint8_t *tables[kPanelRows];
  /// The tables, biased, as lookUp() wants them: 16 entries for every
  /// kLookupRows rows; entries 16 to 63 in the other parts.
  alignas(64) uint8_t lookups[4][kQuadLanes];
};

} // namespace umber

#endif // UMBER_TARGETS_CPU_UKERNELS_PANELREADER_H
