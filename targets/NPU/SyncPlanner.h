// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where queues wait for each other. Every pair of queues has a semaphore of its
// own. An instruction that needs what one of another queue did waits for a
// signal of exactly that one, unless an earlier wait implies it already; so the
// n-th wait for a semaphore is met by its n-th signal.

#ifndef UMBER_TARGETS_NPU_SYNCPLANNER_H
#define UMBER_TARGETS_NPU_SYNCPLANNER_H

#include "runtime/drivers/npu/isa/Instruction.h"
#include "runtime/package/Status.h"

namespace umber::npu {

/// What an instruction uses: bytes of the scratchpad, a slot, or something in
/// DRAM, by a number.
struct Access {
  uint32_t object = 0;
  bool writes = false;
};

struct SyncStep {
  Instruction instruction;
  std::vector<Access> accesses;
};

/// `overlaps`: for each object, those that lie in the same place at other
/// times. Unsupported if there are not enough semaphores. `semaphores`, if not
/// null, is set to how many are used.
Result<Program> synchronize(std::vector<SyncStep> steps,
                            const std::vector<std::vector<uint32_t>> &overlaps,
                            uint32_t *semaphores);

} // namespace umber::npu

#endif // UMBER_TARGETS_NPU_SYNCPLANNER_H
