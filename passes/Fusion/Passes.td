// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_FUSION_PASSES
#define UMBER_FUSION_PASSES

include "mlir/Pass/PassBase.td"

def FusePass : Pass<"umber-fuse", "::mlir::func::FuncOp"> {
  let summary = "group ops into kernels";
  let description = [{
    Moves every model op of a function into an `umber.kernel`. A kernel begins at
    an op that needs whole rows that others made (a norm, attention, a product
    whose input is not the norm that the kernel began with, an embedding, a slice
    of rows) and takes in what follows as long as it works on what the kernel has
    made: sibling products of one input, rotary embedding, the cache update, gated
    activation, residual addition. A decoder layer becomes five kernels. Scalar
    index arithmetic is copied into the kernels that need it.

    Before:
    ```mlir
    %o = umber.linear %a, @l0.attn.o : tensor<?x576xf32> -> tensor<?x576xf32>
    %y = arith.addf %x, %o : tensor<?x576xf32>
    ```
    After:
    ```mlir
    %y = umber.kernel @l0.o (%arg0 = %a : tensor<?x576xf32>, %arg1 = %x : tensor<?x576xf32>) -> tensor<?x576xf32> {
      %0 = umber.linear %arg0, @l0.attn.o : tensor<?x576xf32> -> tensor<?x576xf32>
      %1 = arith.addf %arg1, %0 : tensor<?x576xf32>
      umber.yield %1 : tensor<?x576xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::umber::UmberDialect"];
}

#endif // UMBER_FUSION_PASSES
