// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/QuantizeRows.h"
#include "passes/Compression/Palette/Palettize.h"
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

llvm::Expected<EncodedMatrix> quantizeRows(llvm::ArrayRef<float> weights,
                                           int64_t rows, int64_t columns) {
  if (llvm::Error error = checkFinite(weights, columns)) {
    return std::move(error);
  }
  EncodedMatrix matrix;
  matrix.codes.resize(rows * columns);
  matrix.scales.resize(rows);
  for (int64_t r = 0; r < rows; ++r) {
    llvm::ArrayRef<float> row = weights.slice(r * columns, columns);
    float top = 0;
    for (float weight : row) {
      top = std::max(top, std::abs(weight));
    }
    matrix.scales[r] = getScale(top);
    float scale = fromHalf(matrix.scales[r]);
    for (int64_t c = 0; c < columns; ++c) {
      float code = scale == 0 ? 0 : std::nearbyint(row[c] / scale);
      code = std::clamp(code, -largest, largest);
      matrix.codes[r * columns + c] = static_cast<int8_t>(code);
    }
  }
  return matrix;
}

} // namespace umber::palette
