// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/Common/PackPanels.h"
#include "targets/Common/PackEncoded.h"
#include <cmath>
#include <cstring>

using namespace llvm;
using mlir::umber::ParamOp;

namespace umber {

namespace {

template <typename T>
ArrayRef<uint8_t> asBytes(ArrayRef<T> values) {
  return {reinterpret_cast<const uint8_t *>(values.data()),
          values.size() * sizeof(T)};
}

Error makeError(ParamOp param, const Twine &message) {
  return createStringError(inconvertibleErrorCode(), "parameter '" +
                                                         param.getSymName() +
                                                         "': " + message);
}

/// Arranges `rows` rows of `columns` elements in a panel. Rows of lanes stand
/// in units of `width` columns; a width of 1 is column by column.
template <typename T>
Error packPanel(ParamOp param, ArrayRef<float> in, int64_t rows,
                int64_t columns, int64_t firstRow, int64_t width,
                MutableArrayRef<T> panel) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      float value = in[r * columns + c];
      T stored = static_cast<T>(value);
      // f16 ends at 65504; what is beyond would silently become infinite.
      if (!std::isfinite(static_cast<float>(stored))) {
        return makeError(param,
                         "expected values that its element type can hold, "
                         "found " +
                             Twine(std::to_string(value)) + " at (" +
                             Twine(firstRow + r) + ", " + Twine(c) + ")");
      }
      panel[(c / width * kPanelRows + r) * width + c % width] = stored;
    }
  }
  return Error::success();
}

template <typename T>
Error packMatrix(ParamOp param, const ParameterStore &store,
                 MatrixLayout layout,
                 function_ref<Error(ArrayRef<uint8_t>)> sink) {
  int64_t rows = param.getTensorType().getDimSize(0);
  int64_t columns = param.getTensorType().getDimSize(1);
  std::vector<float> in(kPanelRows * columns);
  PlainLanes lanes = {columns, 8 * int64_t(sizeof(T))};
  int64_t width = layout == MatrixLayout::Lanes ? lanes.getUnitColumns() : 1;
  std::vector<T> panel(kPanelRows * alignTo(columns, width));
  for (int64_t first = 0; first < rows; first += kPanelRows) {
    int64_t count = std::min(kPanelRows, rows - first);
    MutableArrayRef<float> part =
        MutableArrayRef(in).take_front(count * columns);
    if (Error error = store.readRows(param.getKey(), first, part)) {
      return error;
    }
    if (count < kPanelRows) {
      std::fill(panel.begin(), panel.end(), T(0));
    }
    if (Error error =
            packPanel<T>(param, part, count, columns, first, width, panel)) {
      return error;
    }
    if (Error error = sink(asBytes(ArrayRef(panel)))) {
      return error;
    }
  }
  return Error::success();
}

} // namespace

int64_t getPackedBytes(mlir::RankedTensorType type, MatrixLayout layout) {
  if (layout == MatrixLayout::Panels || type.getRank() < 2) {
    return getStoredBytes(type);
  }
  int64_t rows = type.getDimSize(0);
  if (type.getEncoding()) {
    return LaneEncoding{getPanelEncoding(type)}.getBytes(rows);
  }
  return PlainLanes{type.getDimSize(1), int64_t(type.getElementTypeBitWidth())}
      .getBytes(rows);
}

StringRef getLayoutName(mlir::RankedTensorType type, MatrixLayout layout) {
  bool isForLanes = layout == MatrixLayout::Lanes;
  if (type.getEncoding()) {
    return isForLanes ? kEncodedLanesLayout : kEncodedPanelsLayout;
  }
  if (type.getRank() < 2) {
    return "row";
  }
  return isForLanes ? kLanesLayout : "panel32";
}

Error packParameter(ParamOp param, const ParameterStore &store,
                    MatrixLayout matrixLayout,
                    function_ref<Error(ArrayRef<uint8_t>)> sink) {
  auto shape = store.getShape(param.getKey());
  if (!shape) {
    return shape.takeError();
  }
  mlir::RankedTensorType type = param.getTensorType();
  if (*shape != type.getShape()) {
    return makeError(param, "expected its source '" + param.getKey() +
                                "' to have its shape, found another");
  }
  if (type.getEncoding()) {
    auto matrix = store.getEncoded(param.getKey(), type);
    if (!matrix) {
      return matrix.takeError();
    }
    EncodedLayout layout = EncodedLayout::get(type);
    if (Error error = checkTables(layout, *matrix)) {
      return makeError(param, toString(std::move(error)));
    }
    if (matrixLayout == MatrixLayout::Lanes) {
      return packEncodedLanes(layout, LaneEncoding{getPanelEncoding(type)},
                              *matrix, sink);
    }
    return packEncoded(layout, getPanelEncoding(type), *matrix, sink);
  }
  if (type.getRank() == 2) {
    return type.getElementType().isF16()
               ? packMatrix<_Float16>(param, store, matrixLayout, sink)
               : packMatrix<float>(param, store, matrixLayout, sink);
  }
  std::vector<float> vector(type.getNumElements());
  if (Error error = store.readRows(param.getKey(), 0, vector)) {
    return error;
  }
  return sink(asBytes(ArrayRef(vector)));
}

} // namespace umber
