// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/Common/PackEncoded.h"
#include "llvm/ADT/STLExtras.h"
#include <cstring>

using namespace llvm;

namespace umber {

namespace {

/// Copies the blocks that a panel touches, each `elements` elements long, in
/// `blocksPerRow` of them per row of blocks. What the matrix does not have is
/// left as it is.
template <typename T>
void copyBlocks(ArrayRef<T> blocks, int64_t firstRow, int64_t rows,
                int64_t height, int64_t blocksPerRow, int64_t elements,
                uint8_t *out) {
  int64_t first = firstRow / height;
  int64_t last = (firstRow + rows - 1) / height;
  int64_t stride = blocksPerRow * elements;
  ArrayRef<T> touched =
      blocks.slice(first * stride, (last - first + 1) * stride);
  std::memcpy(out, touched.data(), touched.size() * sizeof(T));
}

/// Puts a code's bits into its quad, which has zeros there.
void putCode(const PanelEncoding &encoding, uint8_t *quad, int64_t lane,
             uint8_t code) {
  for (int64_t bit = 0; bit < encoding.bits; ++bit) {
    auto place = PanelEncoding::getBitPlace(encoding.bits, lane, bit);
    quad[place.byte] |= (code >> bit & 1) << place.bit;
  }
}

/// Copies the tables that a panel's `rows` rows touch to `out`.
void copyTables(const EncodedLayout &layout, const EncodedMatrixRef &matrix,
                int64_t firstRow, int64_t rows, uint8_t *out) {
  if (layout.entries) {
    copyBlocks(matrix.tables, firstRow, rows, layout.tableRows,
               layout.columns / layout.tableColumns, layout.entries, out);
  }
}

void copyScales(const EncodedLayout &layout, const EncodedMatrixRef &matrix,
                int64_t firstRow, int64_t rows, uint8_t *out) {
  copyBlocks(matrix.scales, firstRow, rows, layout.scaleRows,
             layout.columns / layout.scaleColumns, 1, out);
}

} // namespace

Error checkTables(const EncodedLayout &layout, const EncodedMatrixRef &matrix) {
  for (auto [index, entry] : enumerate(matrix.tables)) {
    if (entry < -64 || entry > 63) {
      return createStringError(inconvertibleErrorCode(),
                               "expected table entries from -64 to 63, found " +
                                   Twine(int(entry)) + " in table " +
                                   Twine(index / layout.entries));
    }
  }
  return Error::success();
}

Error packEncoded(const EncodedLayout &layout, const PanelEncoding &encoding,
                  const EncodedMatrixRef &matrix,
                  function_ref<Error(ArrayRef<uint8_t>)> sink) {
  std::vector<uint8_t> panel(encoding.getPanelBytes());
  for (int64_t first = 0; first < layout.rows; first += kPanelRows) {
    int64_t rows = std::min(kPanelRows, layout.rows - first);
    std::fill(panel.begin(), panel.end(), 0);
    copyTables(layout, matrix, first, rows, panel.data());
    copyScales(layout, matrix, first, rows,
               panel.data() + encoding.getTableBytes());
    uint8_t *codes = panel.data() + encoding.getCodesOffset();
    for (int64_t r = 0; r < rows; ++r) {
      const uint8_t *row = &matrix.codes[(first + r) * layout.columns];
      for (int64_t c = 0; c < layout.columns; ++c) {
        putCode(encoding, codes + c / kQuadColumns * encoding.getQuadBytes(),
                kQuadColumns * r + c % kQuadColumns, row[c]);
      }
    }
    if (Error error = sink(panel)) {
      return error;
    }
  }
  return Error::success();
}

Error packEncodedLanes(const EncodedLayout &layout, const LaneEncoding &lanes,
                       const EncodedMatrixRef &matrix,
                       function_ref<Error(ArrayRef<uint8_t>)> sink) {
  const int64_t bits = lanes.encoding.bits;
  std::vector<uint8_t> panel(4 * lanes.getPanelWords());
  for (int64_t first = 0; first < layout.rows; first += kPanelRows) {
    int64_t rows = std::min(kPanelRows, layout.rows - first);
    std::fill(panel.begin(), panel.end(), 0);
    copyTables(layout, matrix, first, rows, panel.data());
    copyScales(layout, matrix, first, rows,
               panel.data() + 4 * lanes.getTableWords());
    uint8_t *codes = panel.data() + 4 * lanes.getCodesOffset();
    for (int64_t r = 0; r < rows; ++r) {
      const uint8_t *row = &matrix.codes[(first + r) * layout.columns];
      for (int64_t c = 0; c < layout.columns; ++c) {
        int64_t block = c / kBlockColumns * kPanelRows + r;
        int64_t bit = 32 * bits * block + c % kBlockColumns * bits;
        // A code of up to 8 bits is in one byte or two.
        unsigned code = unsigned(row[c]) << bit % 8;
        codes[bit / 8] |= uint8_t(code);
        if (bit % 8 + bits > 8) {
          codes[bit / 8 + 1] |= uint8_t(code >> 8);
        }
      }
    }
    if (Error error = sink(panel)) {
      return error;
    }
  }
  return Error::success();
}

} // namespace umber
