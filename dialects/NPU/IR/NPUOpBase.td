// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_NPU_OP_BASE
#define UMBER_NPU_OP_BASE

include "dialects/NPU/IR/NPUAttrs.td"
include "dialects/NPU/IR/NPUInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"

/// An instruction: the mnemonic and the struct are those of Instruction.h, and
/// `fields` those of Fields.h, by name. A number of which a register can take
/// the place, or to which one is added, has a `_from` beside it.
class NPU_InstructionOp<string mnemonic, string operation, dag fields,
                        list<Trait> traits = []>
    : Op<NPU_Dialect, mnemonic, traits # [InstructionOpInterface]> {
  let arguments = !con(fields, (ins
      OptionalAttr<NPU_QueueAttr>:$queue,
      OptionalAttr<NPU_SemaphoresAttr>:$waits,
      OptionalAttr<NPU_SemaphoreAttr>:$signal, NPU_Number:$id));
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    static ::umber::npu::Instruction getDefaultInstruction() {
      return ::mlir::npu::makeInstruction(::umber::npu::}] # operation # [{());
    }
  }];
  let extraClassDefinition = [{
    ::mlir::ParseResult $cppClass::parse(::mlir::OpAsmParser &parser,
                                         ::mlir::OperationState &state) {
      return ::mlir::npu::parseInstruction(parser, state,
                                           getDefaultInstruction());
    }
    void $cppClass::print(::mlir::OpAsmPrinter &printer) {
      ::mlir::npu::printInstruction(printer, *this);
    }
  }];
}

/// An instruction of a program or a loop in it.
class NPU_BodyOp<string mnemonic, string operation, dag fields>
    : NPU_InstructionOp<mnemonic, operation, fields,
                        [ParentOneOf<["ProgramOp", "LoopOp"]>]>;

#endif // UMBER_NPU_OP_BASE
