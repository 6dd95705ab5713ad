// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_VERIFY_PASSES
#define UMBER_VERIFY_PASSES

include "mlir/Pass/PassBase.td"

def VerifyModelPass : Pass<"umber-verify-model", "::mlir::ModuleOp"> {
  let summary = "check that a module is a model";
  let description = [{
    Changes nothing. Fails unless the module has an `#umber.model` and its entry
    points (`step`, or after specialization `decode` and `prefill`) take token
    ids, the position of the first, the number of rows that get logits, and the
    cache, and return logits and the cache:

    ```mlir
    func.func @step(%ids: tensor<?xi32>, %pos: index, %outputs: index, %kv: !umber.kv_cache<30x3x64xf16>)
        -> (tensor<?x49152xf32>, !umber.kv_cache<30x3x64xf16>)
    ```
  }];
}

def VerifyFusedPass : Pass<"umber-verify-fused", "::mlir::func::FuncOp"> {
  let summary = "check that all of a function is in kernels";
  let description = [{
    Changes nothing. Fails at the first op of an entry point that is neither a
    kernel nor the function's end: what is outside of every kernel would be
    executed by nobody and shown by no report.
  }];
}

#endif // UMBER_VERIFY_PASSES
