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

/// A table that one lookup reads.
using Entries = Vec<uint8_t, 16>;

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

/// The bytes of a plane of `Size` bytes that belong to vector `Vector` of a
/// quad, once for every 16 lanes.
template <int Size, int Vector>
UMBER_INLINE Bytes loadPlane(const uint8_t *plane) {
  constexpr int kLoaded = Size < kBytes ? Size : kBytes;
  Vec<uint8_t, kLoaded> loaded;
  __builtin_memcpy(&loaded, plane + Vector * kBytes % Size, sizeof loaded);
  return repeat<kLoaded>(loaded);
}

/// For every byte of vector `Vector` of a quad, what `get` says of its 16
/// lanes.
template <int Vector, typename F>
UMBER_INLINE Bytes perGroup(F get) {
  Bytes bytes;
  forConstants<kBytes>(
      [&](auto i) { bytes[i.value] = get((Vector * kBytes + i.value) / 16); });
  return bytes;
}

/// Bytes shifted down by `shift(group)` bits. Where a byte's own bits were
/// follow those of its neighbour.
template <int Vector, typename F>
UMBER_INLINE Bytes shiftDown(Bytes bytes, F shift) {
  return (Bytes)((Vec<uint32_t, kLanes>)bytes >>
                 ((Vec<uint32_t, kLanes>)perGroup<Vector>(shift) & 0xFF));
}

/// The same upwards.
template <int Vector, typename F>
UMBER_INLINE Bytes shiftUp(Bytes bytes, F shift) {
  return (Bytes)((Vec<uint32_t, kLanes>)bytes
                 << ((Vec<uint32_t, kLanes>)perGroup<Vector>(shift) & 0xFF));
}

/// Indices into 16 entries for vector `Vector` of a quad of codes of 1 to 4
/// bits, in tables that PanelForm::spread has spread out: see PanelEncoding.h.
template <int Bits, int Vector>
UMBER_INLINE Bytes getIndices(const uint8_t *quad) {
  if constexpr (Bits == 3) {
    Bytes low = loadPlane<32, Vector>(quad);
    Bytes high = shiftDown<Vector>(low, [](int) { return 4; });
    Bytes third = shiftDown<Vector>(loadPlane<16, Vector>(quad + 32),
                                    [](int group) { return group % 2 * 4; });
    return (low & perGroup<Vector>([](int group) {
              return group < 2 ? 15 : group < 6 ? 0 : 8;
            })) |
           (high & perGroup<Vector>([](int group) {
              return group / 2 == 1 ? 15 : group < 6 ? 0 : 4;
            })) |
           (third & perGroup<Vector>([](int group) {
              return group < 4 ? 0 : group < 6 ? 15 : 2;
            }));
  } else {
    Bytes plane = loadPlane<16 * Bits, Vector>(quad);
    return shiftDown<Vector>(plane, [](int group) { return group / 4 * 4; }) &
           Bytes(15);
  }
}

/// Codes of 1, 2, 4 or 6 bits of vector `Vector` of a quad, below whatever else
/// its bytes have: indices into tables of 64 entries. Nothing is masked off.
template <int Bits, int Vector>
UMBER_INLINE Bytes getWideIndices(const uint8_t *quad) {
  static_assert(Bits != 3, "their tables differ from lookup to lookup");
  if constexpr (Bits == 6) {
    Bytes low = shiftDown<Vector>(loadPlane<64, Vector>(quad),
                                  [](int group) { return group / 4 * 4; });
    Bytes high = loadPlane<32, Vector>(quad + 64);
    if constexpr (Vector == 0) {
      high = shiftUp<Vector>(high, [](int group) { return 4 - group / 2 * 2; });
    } else {
      high =
          shiftDown<Vector>(high, [](int group) { return group / 2 * 2 - 4; });
    }
    return (low & Bytes(0x0F)) | (high & Bytes(0xF0));
  } else {
    return shiftDown<Vector>(loadPlane<16 * Bits, Vector>(quad),
                             [](int group) { return group / Bits * Bits; });
  }
}

/// A matrix's encoding and what readers of its panels would have to divide for.
class PanelForm {
public:
  UMBER_MEMBER explicit PanelForm(const PanelEncoding &encoding)
      : encoding(encoding), bits(encoding.bits),
        hasTables(encoding.hasTables()),
        hasVectorTables(encoding.hasVectorTables()),
        quadBytes(encoding.getQuadBytes()),
        panelBytes(encoding.getPanelBytes()),
        scalesAt(encoding.getTableBytes()), codesAt(encoding.getCodesOffset()),
        tables(hasTables ? Blocks(encoding.tableRows, encoding.tableColumns,
                                  encoding.columns)
                         : Blocks(1, encoding.columns, encoding.columns)),
        scales(encoding.scaleRows, encoding.scaleColumns, encoding.columns) {
    for (int64_t group = 0; group < kQuadLanes / 16; ++group) {
      spread[group] = getSpread(group);
    }
  }

  /// Blocks of a panel's rows and columns that share a table or a scale.
  struct Blocks {
    int64_t rows, columns;
    int64_t across;  ///< blocks side by side
    bool areAligned; ///< the panel's first row begins a block

    UMBER_MEMBER Blocks(int64_t rows, int64_t columns, int64_t all)
        : rows(rows), columns(columns), across(all / columns),
          areAligned(kPanelRows % rows == 0) {}

    /// Calls `use(row, block)` for the rows of the panel that begins at row
    /// `firstRow`, and which of its blocks, from 0 on, they are in.
    template <typename F>
    UMBER_MEMBER void forRows(int64_t firstRow, F use) const {
      int64_t end = areAligned ? rows : rows - firstRow % rows;
      for (int64_t r = 0, block = 0; r < kPanelRows; ++block, end += rows) {
        for (; r < end && r < kPanelRows; ++r) {
          use(r, block);
        }
      }
    }
  };

  const PanelEncoding &encoding;
  const int64_t bits;
  const bool hasTables, hasVectorTables;
  const int64_t quadBytes, panelBytes, scalesAt, codesAt;
  const Blocks tables, scales;
  /// Of codes of less than 4 bits, for every index that getIndices() makes for
  /// lanes 16 * group and up, the code that it stands for.
  Entries spread[kQuadLanes / 16];

private:
  UMBER_MEMBER Entries getSpread(int64_t group) const {
    Entries indices = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    Entries codes = 0;
    for (int64_t bit = 0; bit < bits && bits < 4; ++bit) {
      auto place = PanelEncoding::getBitPlace(bits, 16 * group, bit);
      codes |= (indices >> Entries(uint8_t(place.bit % 4)) & Entries(1))
               << Entries(uint8_t(bit));
    }
    return codes;
  }
};

class PanelReader {
public:
  /// Bytes read have `bias` added. The panel begins at row `firstRow`.
  UMBER_MEMBER PanelReader(const PanelForm &form, const uint8_t *panel,
                           int64_t firstRow, int bias)
      : form(form), panel(panel), codes(panel + form.codesAt),
        firstRow(firstRow), bias(bias) {}

  /// The first column that other tables or scales may serve.
  UMBER_MEMBER int64_t getEnd() const {
    return scaleEnd < tableEnd ? scaleEnd : tableEnd;
  }

  /// Makes tables and scales those of `column`, which is 0 at first, and then
  /// never beyond getEnd().
  UMBER_MEMBER void moveTo(int64_t column) {
    if (column == scaleEnd) {
      loadScales(scaleAt++);
      scaleEnd += form.scales.columns;
    }
    if (column == tableEnd) {
      if (form.hasTables) {
        loadTables(tableAt++);
      }
      tableEnd += form.tables.columns;
    }
  }

  /// The values of quads `first` to `first + count - 1`, by the current tables:
  /// in `buffer`, or where they stand. Not inlined: every caller would get a
  /// copy for each width.
  __attribute__((noinline)) const uint8_t *read(int64_t first, int64_t count,
                                                uint8_t *buffer) const {
    const uint8_t *codes = getCodes(first);
    if (!form.hasTables) {
      return bias == 0 ? codes : readValues(codes, count, buffer);
    }
    if (!form.hasVectorTables) {
      readSlowly(codes, count, buffer);
      return buffer;
    }
    switch (form.bits) {
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
    return codes + quad * form.quadBytes;
  }

  /// Whether one lookup serves all lanes of a vector, now.
  UMBER_MEMBER bool hasWideTables() const {
#if defined(__AVX512VBMI__)
    return areTablesWide;
#else
    return false;
#endif
  }

  /// Vector `Vector` of the values of a quad, where encoding.isReadByQuads()
  /// and codes are of `Bits` bits. `IsWide`: where hasWideTables().
  template <int Bits, int Vector, bool IsWide>
  UMBER_MEMBER Bytes readVector(const uint8_t *quad) const {
    constexpr int kAt = Vector * kBytes;
    if constexpr (Bits == 8) {
      return loadBytes(quad + kAt) + Bytes(uint8_t(bias));
#if defined(__AVX512VBMI__)
    } else if constexpr (IsWide && Bits != 3) {
      return lookUpWide(loadBytes(wideTables[Vector]),
                        getWideIndices<Bits, Vector>(quad));
#endif
    } else if constexpr (Bits == 6) {
      Bytes low = getIndices<4, Vector>(quad);
      Bytes high = shiftDown<Vector>(loadPlane<32, Vector>(quad + 64),
                                     [](int group) { return group / 2 * 2; }) &
                   Bytes(3);
      Bytes values = lookUp(loadBytes(&lookups[0][kAt]), low);
      forConstants<3>([&](auto i) {
        constexpr int kPart = i.value + 1;
        Bytes table = loadBytes(&lookups[kPart][kAt]);
        values = high == Bytes(kPart) ? lookUp(table, low) : values;
      });
      return values;
    } else {
      return lookUp(loadBytes(&lookups[0][kAt]),
                    getIndices<Bits, Vector>(quad));
    }
  }

  /// Each row's scale.
  float scales[kPanelRows];

private:
  // These two are rare, and not inlined.

  __attribute__((noinline)) void loadScales(int64_t at) {
    auto *stored = reinterpret_cast<const half *>(panel + form.scalesAt) + at;
    if (form.scales.rows == 1 && form.scales.across == 1) {
      store<kPanelRows>(scales, load<kPanelRows>(stored));
      return;
    }
    form.scales.forRows(firstRow, [&](int64_t r, int64_t block) {
      scales[r] = float(stored[block * form.scales.across]);
    });
  }

  __attribute__((noinline)) void loadTables(int64_t at) {
    const uint8_t *stored = panel + (at << form.bits);
    form.tables.forRows(firstRow, [&](int64_t r, int64_t block) {
      tables[r] = stored + (block * form.tables.across << form.bits);
    });
    if (!form.hasVectorTables) {
      return;
    }
#if defined(__AVX512VBMI__)
    static_assert(kQuadVectors == 2, "a vector is half of a panel's rows");
    constexpr int64_t kHalf = kPanelRows / 2;
    areTablesWide = form.bits != 3 && tables[0] == tables[kHalf - 1] &&
                    tables[kHalf] == tables[kPanelRows - 1];
    for (int64_t half = 0; half < 2; ++half) {
      Bytes wide = repeatEntries(tables[half * kHalf], form.bits);
      wide += Bytes(uint8_t(bias));
      __builtin_memcpy(wideTables[half], &wide, sizeof wide);
    }
#endif
    // Small tables are read beyond their ends, where scales and codes follow.
    int64_t parts = form.bits == 6 ? 4 : 1;
    for (int64_t part = 0; part < parts; ++part) {
      for (int64_t group = 0; group < kQuadLanes / 16; ++group) {
        Entries entries;
        __builtin_memcpy(&entries, tables[group * kLookupRows] + part * 16,
                         sizeof entries);
        if (form.bits < 4) {
          entries = lookUp(entries, form.spread[group]);
        }
        entries += Entries(uint8_t(bias));
        __builtin_memcpy(&lookups[part][group * 16], &entries, sizeof entries);
      }
    }
  }

  template <int Bits>
  UMBER_MEMBER void readPalette(const uint8_t *codes, int64_t count,
                                uint8_t *buffer) const {
    if (hasWideTables()) {
      readVectors<Bits, true>(codes, count, buffer);
    } else {
      readVectors<Bits, false>(codes, count, buffer);
    }
  }

  template <int Bits, bool IsWide>
  UMBER_MEMBER void readVectors(const uint8_t *codes, int64_t count,
                                uint8_t *buffer) const {
    for (int64_t q = 0; q < count; ++q) {
      forConstants<kQuadVectors>([&](auto v) {
        Bytes values = readVector<Bits, v.value, IsWide>(codes + q * 16 * Bits);
        __builtin_memcpy(buffer + q * kQuadLanes + v.value * kBytes, &values,
                         sizeof values);
      });
    }
  }

  /// Tables of 256 entries, and those that fewer than kLookupRows rows share.
  __attribute__((noinline)) void readSlowly(const uint8_t *codes, int64_t count,
                                            uint8_t *buffer) const {
    for (int64_t q = 0; q < count; ++q) {
      for (int64_t lane = 0; lane < kQuadLanes; ++lane) {
        uint8_t code = form.encoding.getCode(codes + q * form.quadBytes, lane);
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

  const PanelForm &form;
  const uint8_t *panel, *codes;
  int64_t firstRow;
  int bias;
  // Which tables and scales of a row of blocks are next, and from which column.
  int64_t tableAt = 0, scaleAt = 0, tableEnd = 0, scaleEnd = 0;
  const uint8_t *tables[kPanelRows];
#if defined(__AVX512VBMI__)
  bool areTablesWide = false;
  /// The tables of each vector's first row, biased and repeated.
  alignas(64) uint8_t wideTables[2][kBytes];
#endif
  /// The tables, biased, as lookUp() wants them: 16 entries for every
  /// kLookupRows rows; entries 16 to 63 in the other parts.
  alignas(64) uint8_t lookups[4][kQuadLanes];
};

} // namespace umber

#endif // UMBER_TARGETS_CPU_UKERNELS_PANELREADER_H
