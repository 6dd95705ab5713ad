// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Between ops and instructions: what generated classes call.

#ifndef UMBER_DIALECTS_NPU_IR_INSTRUCTIONS_H
#define UMBER_DIALECTS_NPU_IR_INSTRUCTIONS_H

#include "dialects/NPU/IR/NPUDialect.h"
#include "runtime/drivers/npu/isa/Instruction.h"

namespace mlir::npu {

/// An instruction for the operation's own queue.
::umber::npu::Instruction makeInstruction(::umber::npu::Operation operation);

/// What an op's attributes say. The op has been verified.
::umber::npu::Instruction getInstruction(Operation *op);

/// The state of the op that says the same, with all of its attributes, but
/// without the body of a loop. The opposite of getInstruction().
OperationState makeState(Location loc,
                         const ::umber::npu::Instruction &instruction);

/// Whether the attributes are an instruction's that some engine has.
LogicalResult verifyInstruction(Operation *op);

/// `on QUEUE wait(S, N) signal(S, N) NAME = VALUE, …`.
ParseResult parseInstruction(OpAsmParser &parser, OperationState &state,
                             ::umber::npu::Instruction instruction);
void printInstruction(OpAsmPrinter &printer, Operation *op);

} // namespace mlir::npu

#endif // UMBER_DIALECTS_NPU_IR_INSTRUCTIONS_H
