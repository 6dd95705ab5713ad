// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs, and what the system queue runs.

#ifndef UMBER_NPU_SYSTEM_OPS
#define UMBER_NPU_SYSTEM_OPS

include "dialects/NPU/IR/NPUOpBase.td"

def NPU_ProgramOp : Op<NPU_Dialect, "program", [
    IsolatedFromAbove, SingleBlock, Symbol, HasParent<"::mlir::ModuleOp">]> {
  let summary = "what an engine runs at a time";
  let description = [{
    A list of instructions that ends in `npu.stop`. `device` is the name of the
    engine's description, and `kernels` are the names of what the ops belong to, by
    their `id`, from 1 on.

    Besides what ops say on their own, loops are at most 4 deep, one queue only
    waits for a semaphore, and a product's parts come from first to last, also
    around loops. If `device` is one of the descriptions that come with Umber,
    every instruction must be one that this engine has, with operands within its
    scratchpad, slots and accumulators. The pass `npu-check` finds races,
    deadlocks and what registers lead to.

    Example:
    ```mlir
    npu.program @decode attributes {device = "ane-a17-like"} {
      npu.load signal(1, 1) at = [0x0], dram = io[0x0], bytes = 64
      npu.ew wait(1, 1) signal(2, 1) op = silu, a = f32[0x0, 64], d = f32[0x40, 64], rows = 1, columns = 16
      npu.store wait(2, 1) at = [0x40], dram = io[0x40], bytes = 64
      npu.stop
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, OptionalAttr<StrAttr>:$device,
                       OptionalAttr<StrArrayAttr>:$kernels);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The instructions in their order. `ops`, if not null, is set to the op of
    /// each.
    ::umber::npu::Program getProgram(
        ::llvm::SmallVectorImpl<::mlir::Operation *> *ops = nullptr);
  }];
}

def NPU_StopOp : NPU_InstructionOp<"stop", "Stop", (ins),
    [Terminator, HasParent<"ProgramOp">]> {
  let summary = "ends the program";
  let description = [{
    Nothing is fetched after it.

    Example: `npu.stop`.
  }];
}

def NPU_FenceOp : NPU_BodyOp<"fence", "Fence",
    (ins OptionalAttr<NPU_QueuesAttr>:$queues)> {
  let summary = "waits until queues are empty";
  let description = [{
    Nothing of these queues is under way when the next instruction is fetched.

    Example: `npu.fence queues = [matrix, vector]`.
  }];
}

def NPU_SetOp : NPU_BodyOp<"set", "SetRegister",
    (ins NPU_Register:$to, NPU_Register:$from, NPU_Number:$multiplier,
         NPU_Number:$addend, NPU_Number:$divisor, NPU_Number:$limit)> {
  let summary = "sets a register";
  let description = [{
    `to = ceil((from * multiplier + addend) / divisor)`, but at least 0 and, if
    `limit` is not 0, at most that. `divisor` is 1 unless given. Registers 1 to 4
    are what the host sets: position, tokens, capacity, outputs.

    Example: `npu.set to = r9, from = r2, multiplier = 1, divisor = 16`.
  }];
}

def NPU_AddOp : NPU_BodyOp<"add", "AddRegister",
    (ins NPU_Register:$to, NPU_Register:$from, NPU_Number:$multiplier)> {
  let summary = "adds to a register";
  let description = [{
    `to += from * multiplier`.

    Example: `npu.add to = r9, from = r2, multiplier = 64`.
  }];
}

def NPU_LoopOp : NPU_InstructionOp<"loop", "Loop",
    (ins NPU_Number:$count, NPU_Register:$count_from,
         OptionalAttr<NPU_IncrementsAttr>:$increments),
    [SingleBlockImplicitTerminator<"EndOp">,
     ParentOneOf<["ProgramOp", "LoopOp"]>]> {
  let summary = "repeats instructions";
  let description = [{
    Runs its body `count` times, or as often as a register says; after each time,
    up to four increments are added. Registers of increments have their values of
    before when it ends. Loops are at most 4 deep; 0 times skips the body.

    Example:
    ```mlir
    npu.loop count = r9, r10 += 1024 {
      npu.load at = [0x0], dram = activations[0x0 + r10], bytes = 1024
    }
    ```
  }];
  let regions = (region SizedRegion<1>:$body);
  // NPUOps.cpp has its syntax, with the body.
  let extraClassDefinition = "";
}

def NPU_EndOp : NPU_InstructionOp<"end", "EndLoop", (ins),
    [Terminator, HasParent<"LoopOp">]> {
  let summary = "ends a loop's body";
  let description = [{
    It is left out in text where it has the loop's `id`, or none if the loop has
    none.

    Example: `npu.end id = 3`.
  }];
  let builders = [OpBuilder<(ins), [{ }]>];
}

def NPU_MarkOp : NPU_BodyOp<"mark", "Mark", (ins NPU_Number:$mark)> {
  let summary = "names what follows, for reports";
  let description = [{
    In another queue than the system's it does nothing but wait and signal, where
    an instruction has no room for that.

    Example: `npu.mark mark = 12`, `npu.mark on matrix wait(3, 1) wait(4, 1)`.
  }];
}

#endif // UMBER_NPU_SYSTEM_OPS
