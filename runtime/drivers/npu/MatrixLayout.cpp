// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/MatrixLayout.h"

#include <algorithm>

using namespace umber;
using namespace umber::npu;

namespace {

int64_t divideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

} // namespace

int64_t MatrixLayout::getParts() const {
  return divideUp(columns, tileColumns);
}

int64_t MatrixLayout::getPartRowBytes(int64_t part) const {
  int64_t width = std::min(tileColumns, columns - part * tileColumns);
  return divideUp(width * storageBits, 8);
}

uint64_t MatrixLayout::getPartOffset(int64_t firstRow, int64_t part) const {
  int64_t rowBytes = 0;
  for (int64_t p = 0; p < getParts(); ++p) {
    rowBytes += getPartRowBytes(p);
  }
  int64_t tile = std::min(tileRows, rows - firstRow);
  int64_t bytes = firstRow * rowBytes;
  for (int64_t p = 0; p < part; ++p) {
    bytes += tile * getPartRowBytes(p);
  }
  return elements + static_cast<uint64_t>(bytes);
}
