// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_NPU_INTERFACES
#define UMBER_NPU_INTERFACES

include "mlir/IR/OpBase.td"

def InstructionOpInterface : OpInterface<"InstructionOpInterface"> {
  let cppNamespace = "::mlir::npu";
  let description = [{
    An op that is an instruction. Its attributes have the names of the
    instruction's fields (`runtime/drivers/npu/isa/Fields.h`), and its verifier
    is the instruction set's, for an engine without limits.
  }];
  let methods = [
    StaticInterfaceMethod<[{
      The instruction with the defaults of all its fields, for its own queue.
    }], "::umber::npu::Instruction", "getDefaultInstruction">,
    InterfaceMethod<[{
      What the op says. It has been verified.
    }], "::umber::npu::Instruction", "getInstruction", (ins), [{}], [{
      return ::mlir::npu::getInstruction($_op.getOperation());
    }]>
  ];
  let verify = [{ return ::mlir::npu::verifyInstruction($_op); }];
}

#endif // UMBER_NPU_INTERFACES
