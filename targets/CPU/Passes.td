// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_CPU_PASSES
#define UMBER_CPU_PASSES

include "mlir/Pass/PassBase.td"

def CPULowerToLoopsPass : Pass<"umber-cpu-lower-to-loops", "::mlir::ModuleOp"> {
  let summary = "turn kernels into functions of loops and vectors";
  let description = [{
    Replaces a fused and specialized model by the code of its kernels: one
    function per distinct kernel, over flat buffers, executed by every worker of
    a team at once, with calls of microkernels for matrix products and
    attention. What is left is the code alone; `umber-compile` keeps the list of
    dispatches that go with it.

    Before:
    ```mlir
    %1 = umber.kernel @l0.o (%a = %0 : tensor<1x576xf32>) -> tensor<1x576xf32> {
      %2 = umber.linear %a, @l0.attn.o : tensor<1x576xf32> -> tensor<1x576xf32>
      umber.yield %2 : tensor<1x576xf32>
    }
    ```
    After:
    ```mlir
    func.func @decode_o_0(%args: memref<12xi64>, %scratch: memref<1xf32>, %a: memref<576xf32>, %y: memref<576xf32>, %w: memref<331776xf16>) {
      …
      scf.for %panel = %first to %last step %c1 {
        func.call @umber_uk_linear_f16(…)
      }
      return
    }
    ```
  }];
  let dependentDialects = [
    "::mlir::umber::UmberDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect", "::mlir::memref::MemRefDialect",
    "::mlir::math::MathDialect"];
}

#endif // UMBER_CPU_PASSES
