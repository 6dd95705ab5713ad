// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Parameters/EncodedMatrix.h"
#include "llvm/Support/MathExtras.h"
#include <cstring>

using namespace mlir::umber;

namespace umber {

EncodedLayout EncodedLayout::get(mlir::RankedTensorType type) {
  EncodedLayout layout;
  layout.rows = type.getDimSize(0);
  layout.columns = type.getDimSize(1);
  auto orAll = [&](int64_t columns) {
    return columns ? columns : std::max<int64_t>(layout.columns, 1);
  };
  if (auto palette = mlir::dyn_cast<PaletteAttr>(type.getEncoding())) {
    layout.tableRows = palette.getRows();
    layout.tableColumns = orAll(palette.getCols());
    layout.entries = int64_t(1) << palette.getBits();
    layout.tables = llvm::divideCeil(layout.rows, layout.tableRows) *
                    (layout.columns / layout.tableColumns);
    bool perTable = palette.getScale() == PaletteScale::Table;
    layout.scaleRows = perTable ? layout.tableRows : 1;
    layout.scaleColumns =
        perTable ? layout.tableColumns : orAll(palette.getScaleCols());
  } else {
    layout.scaleRows = 1;
    layout.scaleColumns =
        orAll(mlir::cast<QuantizedAttr>(type.getEncoding()).getGroup());
  }
  layout.scales = llvm::divideCeil(layout.rows, layout.scaleRows) *
                  (layout.columns / layout.scaleColumns);
  return layout;
}

static float toFloat(uint16_t bits) {
  _Float16 value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

void decodeRows(const EncodedLayout &layout, const EncodedMatrixRef &matrix,
                int64_t first, llvm::MutableArrayRef<float> out) {
  for (size_t i = 0; i < out.size(); ++i) {
    int64_t row = first + int64_t(i) / layout.columns;
    int64_t column = int64_t(i) % layout.columns;
    uint8_t code = matrix.codes[row * layout.columns + column];
    int8_t entry =
        layout.entries == 0
            ? static_cast<int8_t>(code)
            : matrix
                  .tables[layout.getTable(row, column) * layout.entries + code];
    out[i] = entry * toFloat(matrix.scales[layout.getScale(row, column)]);
  }
}

} // namespace umber
