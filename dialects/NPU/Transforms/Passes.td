// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_NPU_PASSES
#define UMBER_NPU_PASSES

include "mlir/Pass/PassBase.td"

class NPU_RegionOption<string name>
    : Option<name # "Bytes", name, "uint64_t", "uint64_t(1) << 40",
             "Bytes of the region " # name # "; default: any">;

def NPUCheckPass : Pass<"npu-check", "::mlir::npu::ProgramOp"> {
  let summary = "find races and deadlocks";
  let description = [{
    Changes nothing. Follows a run of the program with the registers' values that
    the options say, on the engine that its `device` names, and fails at the first
    op that is not one of this engine, that accesses bytes outside of the
    scratchpad or of a region, waits for what never comes, lets a semaphore pass
    63, uses a slot that holds other weights, or races another one: both access
    the same bytes, one of them writes, and nothing orders them, whatever the
    queues' speeds. The other op of a race is in a note. A semaphore must be 0 at
    the end.

    It fails at the product, which should wait for the load:
    ```mlir
    npu.program @race attributes {device = "ane-a17-like"} {
      npu.weights signal(1, 1) from = weights[0x0], rows = 32, columns = 64
      npu.load at = [0x0], dram = activations[0x0], bytes = 128, rows = 16, row_stride = 128, at_row_stride = 128
      npu.mm wait(1, 1) a = f16[0x0, 128], c = f32[0x2000, 128], rows = 16, columns = 32, inner = 64, first, last
      npu.stop
    }
    ```
  }];
  let options = [
    Option<"device", "device", "std::string", "",
           "An engine's description, a .json file or a name; default: the "
           "program's">,
    Option<"position", "position", "int64_t", "0",
           "What the host sets, register 1: the first token's position">,
    Option<"tokens", "tokens", "int64_t", "0",
           "Register 2: tokens of the step">,
    Option<"capacity", "capacity", "int64_t", "0",
           "Register 3: positions of the cache">,
    Option<"outputs", "outputs", "int64_t", "0",
           "Register 4: tokens that need logits">,
    NPU_RegionOption<"code">, NPU_RegionOption<"weights">,
    NPU_RegionOption<"adapters">, NPU_RegionOption<"tables">,
    NPU_RegionOption<"cache">, NPU_RegionOption<"activations">,
    NPU_RegionOption<"io">];
}

#endif // UMBER_NPU_PASSES
