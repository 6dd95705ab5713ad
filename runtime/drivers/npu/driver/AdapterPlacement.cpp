// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/driver/AdapterPlacement.h"

#include <algorithm>
#include <cstring>

using namespace umber;
using namespace umber::npu;

/// Writes elements [first, first + count) of a row of F16.
static void placeRow(const MatrixLayout &matrix, int64_t row, int64_t first,
                     int64_t count, const uint16_t *values, char *region) {
  int64_t tileRow = row / matrix.tileRows * matrix.tileRows;
  int64_t tileRows = std::min(matrix.tileRows, matrix.rows - tileRow);
  // Parts before this one are as wide as each other, so that their sizes need
  // no sum over them (MatrixLayout::getPartOffset).
  for (int64_t done = 0; done < count;) {
    int64_t column = first + done;
    int64_t begin = column / matrix.tileColumns * matrix.tileColumns;
    int64_t width = std::min(matrix.tileColumns, matrix.columns - begin);
    int64_t length = std::min(count - done, begin + width - column);
    int64_t element = tileRow * matrix.columns + tileRows * begin +
                      (row - tileRow) * width + (column - begin);
    std::memcpy(region + matrix.elements + sizeof *values * element,
                values + done, sizeof *values * length);
    done += length;
  }
}

void npu::placeAdapter(const SiteLayout &site, int64_t first, int64_t rank,
                       const uint16_t *a, const uint16_t *b, char *region) {
  int64_t inputs = site.a.columns, outputs = site.b.rows;
  for (const MatrixLayout *matrix : {&site.a, &site.aByColumns}) {
    for (int64_t r = 0; r < rank; ++r) {
      placeRow(*matrix, first + r, 0, inputs, a + r * inputs, region);
    }
  }
  for (int64_t row = 0; row < outputs; ++row) {
    placeRow(site.b, row, first, rank, b + row * rank, region);
  }
}
