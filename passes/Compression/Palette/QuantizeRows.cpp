// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/QuantizeRows.h"
#include "passes/Compression/Palette/Tables.h"
#include <algorithm>
#include <cmath>

namespace umber::palette {

constexpr float largest = 127;

/// The least f16 with which `top` rounds to no more than the largest integer.
static uint16_t getScale(float top) {
  uint16_t scale = toHalf(std::min(top / largest, 65504.0f));
  while (top != 0 && (fromHalf(scale) == 0 ||
                      (std::nearbyint(top / fromHalf(scale)) > largest &&
                       fromHalf(scale) < 65504.0f))) {
    ++scale; // the next larger one: positive numbers are in their bits' order
  }
  return scale;
}

llvm::Expected<Compressed> quantizeRows(llvm::ArrayRef<float> weights,
                                        int64_t rows, int64_t columns,
                                        const SecondMoment &moment,
                                        llvm::ArrayRef<float> rowWeights) {
  if (llvm::Error error = checkFinite(weights, columns)) {
    return std::move(error);
  }
  Compressed result;
  result.matrix.codes.resize(rows * columns);
  result.matrix.scales.resize(rows);
  for (int64_t r = 0; r < rows; ++r) {
    llvm::ArrayRef<float> row = weights.slice(r * columns, columns);
    float top = 0;
    for (float weight : row) {
      top = std::max(top, std::abs(weight));
    }
    result.matrix.scales[r] = getScale(top);
    float scale = fromHalf(result.matrix.scales[r]);
    for (int64_t c = 0; c < columns; ++c) {
      float code = scale == 0 ? 0 : std::nearbyint(row[c] / scale);
      code = std::clamp(code, -largest, largest);
      result.matrix.codes[r * columns + c] = static_cast<int8_t>(code);
    }
  }
  EncodedLayout layout;
  layout.rows = layout.scales = rows;
  layout.columns = layout.scaleColumns = columns;
  layout.scaleRows = 1;
  result.error =
      getOutputError(weights, layout, result.matrix, moment, rowWeights);
  return result;
}

} // namespace umber::palette
