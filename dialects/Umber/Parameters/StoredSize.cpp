// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Parameters/StoredSize.h"
#include "dialects/Umber/Parameters/EncodedMatrix.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir::umber;

namespace umber {

/// How many blocks, `rows` high and beginning at multiples of that, a panel
/// touches at most.
static int64_t getBlocksPerPanel(int64_t rows) {
  if (rows % kPanelRows == 0) {
    return 1;
  }
  return kPanelRows % rows == 0 ? kPanelRows / rows
                                : llvm::divideCeil(kPanelRows - 1, rows) + 1;
}

int64_t getStoredBytes(mlir::RankedTensorType type) {
  if (type.getRank() < 2) {
    return type.getNumElements() * int64_t(sizeof(float));
  }
  int64_t panels = llvm::divideCeil(type.getDimSize(0), kPanelRows);
  int64_t columns = type.getDimSize(1);
  if (!type.getEncoding()) {
    return panels * kPanelRows * columns * (type.getElementTypeBitWidth() / 8);
  }
  EncodedLayout layout = EncodedLayout::get(type);
  auto palette = mlir::dyn_cast<PaletteAttr>(type.getEncoding());
  int64_t codes = llvm::alignTo(columns, kQuadColumns) * kPanelRows *
                  (palette ? palette.getBits() : 8) / 8;
  int64_t tables = layout.entries == 0
                       ? 0
                       : getBlocksPerPanel(layout.tableRows) *
                             (columns / layout.tableColumns) * layout.entries;
  int64_t scales = getBlocksPerPanel(layout.scaleRows) *
                   (columns / layout.scaleColumns) * int64_t(sizeof(uint16_t));
  return panels * (codes + tables + scales);
}

} // namespace umber
