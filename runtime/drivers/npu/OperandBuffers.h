// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A systolic array between three double-buffered memories that DRAM fills and
// drains at a limited rate: SCALE-Sim's model (arXiv 1811.02883, 2504.15377),
// in its mode USER.
//
// Each input's memory holds a window of its operand in the order in which the
// array first asks for it. Half of the window is in use while the other half
// is fetched; a request outside the window moves it on, and waits for the
// fetch. Outputs collect in one half and drain from the other. A wait of any
// memory stops the whole array.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_OPERANDBUFFERS_H
#define UMBER_RUNTIME_DRIVERS_NPU_OPERANDBUFFERS_H

#include "runtime/drivers/npu/ArrayModel.h"

namespace umber::npu {

struct BufferedTiming {
  /// When the last output leaves the array, counted from its first cycle.
  int64_t cycles = 0;
  int64_t stallCycles = 0;
  /// From the first word that is fetched to the last that is written.
  int64_t cyclesWithPrefetch = 0;
  int64_t dramReadWords = 0;
  int64_t dramWriteWords = 0;
};

/// Runs a product through the array cycle by cycle. `array` has a limited
/// interface. Unsupported for a product of more than 2^32 cycles without
/// stalls or operands of more than 2^28 words.
Result<BufferedTiming> runBuffered(const SystolicArray &array,
                                   const ProductShape &shape);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_OPERANDBUFFERS_H
