// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Parameters/StoredSize.h"
#include "dialects/Umber/Parameters/EncodedMatrix.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir::umber;

namespace umber {

PanelEncoding getPanelEncoding(mlir::RankedTensorType type) {
  EncodedLayout layout = EncodedLayout::get(type);
  auto palette = mlir::dyn_cast<PaletteAttr>(type.getEncoding());
  return {layout.columns,   palette ? palette.getBits() : 8,
          layout.tableRows, palette ? layout.tableColumns : layout.columns,
          layout.scaleRows, layout.scaleColumns};
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
  return getPanelEncoding(type).getBytes(type.getDimSize(0));
}

int64_t getFactorBytes(mlir::RankedTensorType type) {
  constexpr int64_t kHalf = 2;
  return type.getEncoding() ? type.getNumElements() + kHalf * type.getDimSize(0)
                            : kHalf * type.getNumElements();
}

} // namespace umber
