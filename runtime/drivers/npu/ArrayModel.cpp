// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/ArrayModel.h"

#include <algorithm>
#include <numeric>

using namespace umber;
using namespace umber::npu;

SystolicFolds npu::getFolds(const SystolicArray &array,
                            const ProductShape &shape) {
  SystolicFolds folds;
  int64_t load = 0;
  switch (array.dataflow) {
  case Dataflow::WeightStationary:
    folds = {divideUp(shape.inner, array.rows),
             divideUp(shape.columns, array.columns), shape.rows};
    load = array.rows;
    break;
  case Dataflow::InputStationary:
    folds = {divideUp(shape.inner, array.rows),
             divideUp(shape.rows, array.columns), shape.columns};
    load = array.rows;
    break;
  case Dataflow::OutputStationary:
    folds = {divideUp(shape.rows, array.rows),
             divideUp(shape.columns, array.columns), shape.inner};
    break;
  }
  folds.foldCycles = load + array.rows + array.columns + folds.streamed - 2;
  return folds;
}

int64_t npu::getSystolicCycles(const SystolicArray &array,
                               const ProductShape &shape) {
  SystolicFolds folds = getFolds(array, shape);
  return folds.count() * folds.foldCycles - 1;
}

double npu::getCoreCycles(const CoreArray &array, const ProductShape &shape,
                          bool f16) {
  int64_t passes = divideUp(shape.columns, array.cores * array.columns) *
                   divideUp(shape.rows, f16 ? array.rowsF16 : array.rowsI8);
  int64_t products = passes * divideUp(shape.inner, array.inner);
  int64_t post = array.postCycles * (array.doubleBuffered ? 1 : passes);
  return static_cast<double>(array.fillCycles + post) +
         static_cast<double>(products) / array.efficiency;
}

int64_t npu::getConflictDepth(const ScratchpadConfig &scratchpad, int64_t rows,
                              int64_t stride) {
  int64_t granules = divideUp(stride, scratchpad.granuleBytes);
  // A row that repeats in place is in one bank.
  int64_t reached = scratchpad.banks / std::gcd(granules, scratchpad.banks);
  return divideUp(rows, reached);
}

double npu::getScratchpadCycles(const ScratchpadConfig &scratchpad,
                                int64_t rows, int64_t rowBytes, int64_t stride,
                                int64_t together) {
  int64_t granules = divideUp(rowBytes, scratchpad.granuleBytes);
  auto accesses = [&](int64_t count) {
    if (count == 0) {
      return 0.0;
    }
    int64_t atOnce = std::max<int64_t>(1, scratchpad.banks / count);
    return static_cast<double>(divideUp(granules, atOnce) *
                               getConflictDepth(scratchpad, count, stride));
  };
  together = std::min(together, rows);
  return static_cast<double>(rows / together) * accesses(together) +
         accesses(rows % together);
}
