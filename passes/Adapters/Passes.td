// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_ADAPTERS_PASSES
#define UMBER_ADAPTERS_PASSES

include "mlir/Pass/PassBase.td"

def AttachAdaptersPass : Pass<"umber-attach-adapters", "::mlir::ModuleOp"> {
  let summary = "mark where low-rank adapters act";
  let description = [{
    Gives the function `step` an argument of type `!umber.adapters`, and adds an
    `umber.lora` after every product with one of the model's matrices in a layer
    (their symbols have a layer's prefix, as `@l0.attn.q`), which is the adapters'
    site of that name. It reads what the product reads, before it is quantized,
    and stands behind the product's siblings, so that these stay together. A
    function that takes adapters stays as it is.

    Before:
    ```mlir
    func.func @step(…, %kv: !umber.kv_cache<…>) -> … {
      %q = umber.linear %h, @l0.attn.q : tensor<?x576xf32> -> tensor<?x576xf32>
      %k = umber.linear %h, @l0.attn.k : tensor<?x576xf32> -> tensor<?x192xf32>
      %q1 = umber.rotary %q at %pos …
    ```
    After:
    ```mlir
    func.func @step(…, %kv: !umber.kv_cache<…>, %ad: !umber.adapters) -> … {
      %q = umber.linear %h, @l0.attn.q : tensor<?x576xf32> -> tensor<?x576xf32>
      %k = umber.linear %h, @l0.attn.k : tensor<?x576xf32> -> tensor<?x192xf32>
      %q0 = umber.lora %q, %h, %ad[@l0.attn.q] : tensor<?x576xf32>, tensor<?x576xf32>
      %k0 = umber.lora %k, %h, %ad[@l0.attn.k] : tensor<?x192xf32>, tensor<?x576xf32>
      %q1 = umber.rotary %q0 at %pos …
    ```
  }];
  let dependentDialects = ["::mlir::umber::UmberDialect"];
}

#endif // UMBER_ADAPTERS_PASSES
