// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_SPECIALIZATION_PASSES
#define UMBER_SPECIALIZATION_PASSES

include "mlir/Pass/PassBase.td"

def SpecializePass : Pass<"umber-specialize", "::mlir::ModuleOp"> {
  let summary = "make an entry point for a number of tokens";
  let description = [{
    Copies the function `step` under a name of its own per entry of `tokens`:
    `decode` for 1, with every activation's rows made static, and `prefill` for
    up to N, with dynamic rows and the attribute `umber.max_tokens = N`. The
    original function is removed.

    Before:
    ```mlir
    func.func @step(%ids: tensor<?xi32>, …)
    ```
    After, with `tokens=1,64`:
    ```mlir
    func.func @decode(%ids: tensor<1xi32>, …) attributes {umber.max_tokens = 1 : i64}
    func.func @prefill(%ids: tensor<?xi32>, …) attributes {umber.max_tokens = 64 : i64}
    ```
  }];
  let options = [ListOption<"tokens", "tokens", "int64_t",
                            "largest numbers of tokens of a step, ascending">];
  let dependentDialects = ["::mlir::umber::UmberDialect",
                           "::mlir::func::FuncDialect"];
}

#endif // UMBER_SPECIALIZATION_PASSES
