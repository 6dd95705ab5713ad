// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_RUNTIME_DRIVERS_NPU_OPERANDORDER_H
#define UMBER_RUNTIME_DRIVERS_NPU_OPERANDORDER_H

#include <cstdint>
#include <vector>

namespace umber::npu {

/// Words of an operand, in the order of its memory: from `first`, `count` of
/// them.
struct WordRange {
  int64_t first = 0;
  int64_t count = 0;
};

/// An operand is cut into folds of `length` rows of `width` lanes, the last
/// with fewer lanes, which lie below one another. What streams through the
/// array is asked for along diagonals, lane r a cycle after lane r - 1, and is
/// kept in that order; what stays in it is asked for row by row.
class OperandOrder {
public:
  /// `lanes`: of all folds together.
  OperandOrder(int64_t lanes, int64_t width, int64_t length, bool streams);

  /// Words, and slots when the missing lanes of the last fold are counted too.
  int64_t words() const { return lanes * length; }
  int64_t slots() const { return folds * width * length; }

  /// Of an operand that stays: row `row` of a fold.
  WordRange getRow(int64_t fold, int64_t row) const;
  /// Of one that streams: what a fold asks for in the cycle `cycle` after its
  /// first lane's first row.
  WordRange getDiagonal(int64_t fold, int64_t cycle) const;

private:
  int64_t lanesOf(int64_t fold) const {
    return fold + 1 < folds ? width : lanes - (folds - 1) * width;
  }
  /// Of the diagonal, words in lanes below `lane`.
  int64_t countBelow(int64_t diagonal, int64_t lane) const;

  int64_t lanes, width, length, folds;
  /// Words before each diagonal.
  std::vector<int64_t> before;
};

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_OPERANDORDER_H
