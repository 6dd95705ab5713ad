// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs as text: an instruction a line, `#` begins a comment.
//
//   NAME [@QUEUE] [wait(S,N)] [wait(S,N)] [signal(S,N)] [id=N] FIELD…
//
// QUEUE is said where it is not the operation's own (load0 of loads). Fields
// (Fields.h) are NAME=VALUE, in any order; those that are left out have the
// value that Instruction.h gives them, but a flag is its name alone and false
// if it is left out. Values:
//
//   number       12, 0x1f, -3; 1.5, of F32 the shortest that reads back the
//   same register     r5; `rows=r5` in the place of a number, `first_key=-8+r5`
//   added address      [0x400], [0x400+r5] of the scratchpad, cache[0x400+r5]
//   of DRAM tile         f32[0x400+r5, 6144]: type, address, stride queues
//   matrix,vector increments   of a loop: r5+=4096 r6+=-1
//
// docs/neural-engine.md has all names.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_ISA_ASSEMBLY_H
#define UMBER_RUNTIME_DRIVERS_NPU_ISA_ASSEMBLY_H

#include "runtime/drivers/npu/isa/Instruction.h"
#include "runtime/package/Status.h"

#include <string>
#include <string_view>

namespace umber::npu {

/// Reads text. InvalidArgument, `LINE:COLUMN: expected …, found …` (both from
/// 1), at the first thing that is wrong, a number out of its field's range
/// included.
Result<Program> assemble(std::string_view text);

/// A line for each instruction, loops' bodies indented. Fields with their
/// default are left out, but for `op` and the operands that every operation of
/// its kind has. assemble() gives the same program, if every field of it is in
/// its range.
std::string disassemble(const Program &program);

/// One line, without its end.
std::string disassemble(const Instruction &instruction);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_ISA_ASSEMBLY_H
