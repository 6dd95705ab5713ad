// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a program, in the order in which its instructions are fetched: a
// program whose queues are ordered by semaphores as they must be gives the
// same in any order that these allow.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_SIM_EXECUTOR_H
#define UMBER_RUNTIME_DRIVERS_NPU_SIM_EXECUTOR_H

#include "runtime/drivers/npu/isa/Expander.h"
#include "runtime/drivers/npu/sim/Machine.h"
#include "runtime/drivers/npu/sim/Workers.h"

namespace umber::npu {

/// The most instructions that execute() fetches.
constexpr uint64_t kMostExecuted = uint64_t(1) << 28;

/// Runs `program` until its Stop, with `registers` as the host sets them. On a
/// machine without memory operands are checked and nothing is computed.
///
/// The same for any number of workers, on every processor. InvalidArgument:
/// `instruction N (NAME): …` for the first instruction that cannot run, where
/// the machine is as the earlier ones left it: what the Expander refuses; an
/// operand outside of its memory, of a type that the instruction does not take,
/// or whose rows overlap where they are written; an address or a stride that is
/// not of whole granules; a write to a region that is read only, and an access
/// to one without data; an index of a Gather that is not below its limit; a
/// table slot or kernel slot that nothing was loaded to, or that does not
/// exist, or weights that are too large for one, or of another size or type
/// than the product; sums that the accumulators have no room for, or do not
/// have.
Status execute(Machine &machine, const Workers &workers, const Program &program,
               const Registers &registers);

/// A program as the timing engine takes it.
struct Trace {
  std::vector<Command> commands;
  /// The number in the program of each command's instruction.
  std::vector<uint32_t> instructions;
};

/// Runs a program as execute() does, and notes each instruction's work, of at
/// most kMostCommands instructions. For
/// time alone, `machine` has no memory. Unsupported: an engine that is no array
/// of cores, or has not the arithmetic of a product.
Result<Trace> trace(Machine &machine, const Workers &workers,
                    const Program &program, const Registers &registers);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_SIM_EXECUTOR_H
