// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/OperandOrder.h"

#include "runtime/drivers/npu/ArrayModel.h"

#include <algorithm>

using namespace umber;
using namespace umber::npu;

OperandOrder::OperandOrder(int64_t lanes, int64_t width, int64_t length,
                           bool streams)
    : lanes(lanes), width(width), length(length),
      folds(divideUp(lanes, width)) {
  if (!streams) {
    return;
  }
  before.resize(static_cast<size_t>(folds * length + width));
  int64_t count = 0;
  for (size_t diagonal = 0; diagonal < before.size(); ++diagonal) {
    before[diagonal] = count;
    count += countBelow(static_cast<int64_t>(diagonal), width);
  }
}

WordRange OperandOrder::getRow(int64_t fold, int64_t row) const {
  // Full folds are before this one.
  return {fold * length * width + row * lanesOf(fold), lanesOf(fold)};
}

int64_t OperandOrder::countBelow(int64_t diagonal, int64_t lane) const {
  // Lane r has row `diagonal - r`. Of these rows, some may be of the last fold,
  // which has the lowest lanes of the diagonal and may lack the others.
  int64_t lastFold = (folds - 1) * length;
  int64_t from = std::max<int64_t>(0, diagonal - folds * length + 1);
  int64_t to = std::min(lane, diagonal + 1);
  int64_t inLast = std::min(to, diagonal - lastFold + 1);
  int64_t count = 0;
  if (inLast > from) {
    count += std::max<int64_t>(0, std::min(inLast, lanesOf(folds - 1)) - from);
    from = inLast;
  }
  return count + std::max<int64_t>(0, to - from);
}

WordRange OperandOrder::getDiagonal(int64_t fold, int64_t cycle) const {
  int64_t from = std::max<int64_t>(0, cycle - length + 1);
  int64_t to = std::min(lanesOf(fold), cycle + 1);
  if (from >= to) {
    return {};
  }
  int64_t diagonal = fold * length + cycle;
  return {before[static_cast<size_t>(diagonal)] + countBelow(diagonal, from),
          to - from};
}
