// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whether a program is legal on an engine, as far as one pass over it can tell.
// What depends on registers' values, or on the order in which queues run, is
// checked by Checker.h.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_ISA_VERIFIER_H
#define UMBER_RUNTIME_DRIVERS_NPU_ISA_VERIFIER_H

#include "runtime/drivers/npu/Config.h"
#include "runtime/drivers/npu/isa/Finding.h"

namespace umber::npu {

/// Checks of every instruction: that its fields are in their ranges, its queue
/// is for it, element types, sizes, palettes and slots are what the operation
/// and the engine allow, tiles whose address is no register's are within the
/// scratchpad, and that it writes apart from what it reads, or the same tile
/// where that is allowed. Of the program: that loops are closed and at most
/// kLoopDepth deep, that it ends in its only stop, that one queue only waits
/// for a semaphore, and that a product's parts come from first to last, also
/// around loops.
///
/// InvalidArgument, or Unsupported where another engine could run it:
/// `instruction N (NAME): …, expected …, found …`.
Status verify(const Program &program, const Config &config);

/// The same, as what and where.
Finding findIllegal(const Program &program, const Config &config);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_ISA_VERIFIER_H
