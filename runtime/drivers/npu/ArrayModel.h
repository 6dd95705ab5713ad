// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Closed forms: how many cycles an array takes for a product whose operands
// are there.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_ARRAYMODEL_H
#define UMBER_RUNTIME_DRIVERS_NPU_ARRAYMODEL_H

#include "runtime/drivers/npu/Config.h"

namespace umber::npu {

/// C[rows × columns] = A[rows × inner] · W[inner × columns].
struct ProductShape {
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t inner = 0;

  uint64_t macs() const {
    return static_cast<uint64_t>(rows) * static_cast<uint64_t>(columns) *
           static_cast<uint64_t>(inner);
  }
};

/// How a product is folded onto a systolic array: `across` parts of what lies
/// along its rows, `along` of what lies along its columns, each fold taking
/// `foldCycles` with `streamed` vectors through the array.
struct SystolicFolds {
  int64_t across = 0;
  int64_t along = 0;
  int64_t streamed = 0;
  int64_t foldCycles = 0;

  int64_t count() const { return across * along; }
};

/// The folds of SCALE-Sim (arXiv 1811.02883): `2R + C + T - 2` cycles where
/// weights or inputs stay, `R + C + T - 2` where outputs do.
SystolicFolds getFolds(const SystolicArray &array, const ProductShape &shape);

/// The last cycle of the last fold, counted from 0, as SCALE-Sim reports it
/// when no memory makes the array wait.
int64_t getSystolicCycles(const SystolicArray &array,
                          const ProductShape &shape);

/// What a matrix command of these sizes takes on an array of cores:
/// `fill + ceil(columns / (cores · c)) · ceil(rows / r) · inner / i + post`,
/// the passes divided by the array's efficiency. `f16`: the arithmetic, which
/// the array must have.
double getCoreCycles(const CoreArray &array, const ProductShape &shape,
                     bool f16);

/// Cycles in which an access to one granule of each of `rows` rows, `stride`
/// bytes apart, is done: the most rows of one bank. Bank = (address / granule)
/// mod banks; two accesses to one bank in a cycle cost one more (ane-guide).
int64_t getConflictDepth(const ScratchpadConfig &scratchpad, int64_t rows,
                         int64_t stride);

/// Cycles to move `rows` rows of `rowBytes` bytes, `stride` apart, with
/// `together` rows in one access. Banks that these leave free serve the rows'
/// next granules.
double getScratchpadCycles(const ScratchpadConfig &scratchpad, int64_t rows,
                           int64_t rowBytes, int64_t stride, int64_t together);

constexpr int64_t divideUp(int64_t value, int64_t by) {
  return value / by + (value % by != 0);
}

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_ARRAYMODEL_H
