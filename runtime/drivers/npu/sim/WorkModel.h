// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an instruction costs: the bytes that it moves, the products and
// elements that it computes, and how long the scratchpad's ports and the array
// have to do with it.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_SIM_WORKMODEL_H
#define UMBER_RUNTIME_DRIVERS_NPU_SIM_WORKMODEL_H

#include "runtime/drivers/npu/sim/Machine.h"
#include "runtime/package/Status.h"

namespace umber::npu {

/// The command of an instruction that the Expander has fetched and execute()
/// has found sound, on an array of cores. `machine` is as the instruction
/// leaves it. Unsupported: `NAME multiplies no …`.
///
/// Products of I8 by I8 run at the rate of I8, unless the weights are of a
/// palette and the decoder's palettes hold F16; all others run at the rate of
/// F16. The vector unit's elements are counted once per pass: reductions whose
/// result is applied to the same elements take two. Its energy per element has
/// the scratchpad's in it, so that its scratchpad bytes are 0, but not their
/// cycles.
Result<Command> getCommand(const Machine &machine,
                           const Instruction &instruction);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_SIM_WORKMODEL_H
