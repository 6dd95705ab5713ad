// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_NPU_DIALECT
#define UMBER_NPU_DIALECT

include "mlir/IR/OpBase.td"

def NPU_Dialect : Dialect {
  let name = "npu";
  let cppNamespace = "::mlir::npu";
  let summary = "A neural engine's instructions";
  let description = [{
    The instruction set of the engine that `targets/NPU` compiles for and the
    simulator runs: an op per instruction, with the same names, fields and rules
    as in `runtime/drivers/npu/isa/Instruction.h`, which says what they mean. A
    program and its binary say the same, so that either can be made of the other
    (`umber-translate`).

    Ops have no operands: data is in the scratchpad (`[0x400 + r3]`), in regions
    of DRAM (`cache[0x400 + r3]`) and in slots of the kernel buffer, and is found
    by its address, to which a register is added. Ops are fetched in their order
    and sent to their queue (`on load1` where it is not the op's own), which runs
    them beside the other queues. What orders queues are semaphores and fences:
    `wait(3, 1)` takes 1 from semaphore 3 before the op starts, `signal(3, 1)`
    adds 1 when it is done. Fields follow as `name = value`, flags as their
    names, in any order; those that are left out have the default of the
    instruction set, which is 0 or false if nothing else is said. All ops can
    have an `id`, which reports show.
  }];
  let useDefaultAttributePrinterParser = 1;
}

#endif // UMBER_NPU_DIALECT
