// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_ADAPTERS_PASSES
#define UMBER_ADAPTERS_PASSES

include "mlir/Pass/PassBase.td"
include "passes/Compression/Options.td"

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

def MergeAdaptersPass : Pass<"umber-merge-adapters", "::mlir::ModuleOp"> {
  let summary = "add low-rank adapters to the weights";
  let description = [{
    Gives every matrix that one of the `adapters` corrects the f32 elements
    `W + scale B A`, with `A` and `B` moved to the bases of `W`. The model then is
    another one, with an identity of its own (`umber.identity`). Matrices must be
    plain yet: what comes behind compresses the sum.

    Before:
    ```mlir
    umber.param @l0.attn.q from "blk.0.attn_q.weight" : tensor<576x576xf16>
    ```
    After:
    ```mlir
    umber.param @l0.attn.q from "l0.attn.q.3F21" : tensor<576x576xf32>
    ```
  }];
  let options = [ListOption<"adapters", "adapters", "std::string",
                            "PATH[:SCALE] of each: a folder of PEFT's, a GGUF "
                            "file or an adapter package">,
                 DerivedOption];
  let dependentDialects = ["::mlir::umber::UmberDialect"];
}

def RecoverPass : Pass<"umber-recover", "::mlir::ModuleOp"> {
  let summary = "correct palettized matrices by products of low rank";
  let description = [{
    For every palette that is a site of adapters (umber-attach-adapters): finds the
    two matrices, `A` of `rank` rows and `B` of as many columns, whose product makes
    up for most of the predicted loss (passes/Adapters/LowRankCorrection.h), and names
    them as the matrix's `recover`, `B` transposed. They are f16, or 8-bit integers
    with a scale per rank. Codes and tables stay as they are. If there are any, sites
    get their `umber.lora`, which adds corrections whatever adapters are active.

    A correction is left out where the loss that it takes away, per byte, is less
    than what the same bytes would take away as wider codes of the matrix of the
    body that gains most by them, as umber-palettize has predicted; `all` keeps
    them all. A remark and `umber.recovery` have both numbers; the module's has what
    all of them do, and what as many bytes of wider codes would. With a `recipe`, its
    ranks are what is done.

    Before:
    ```mlir
    umber.param @l0.attn.q from "l0.attn.q.5B0E" : tensor<576x576xf16, #umber.palette<bits = 2, rows = 16>> {umber.error = 4.1e-02 : f64, umber.original = "blk.0.attn_q.weight"}

    %q = umber.linear %h, @l0.attn.q : tensor<?x576xf32> -> tensor<?x576xf32>
    ```
    After:
    ```mlir
    umber.param @l0.attn.q from "l0.attn.q.5B0E" : tensor<576x576xf16, #umber.palette<bits = 2, rows = 16>> {recover = #umber.low_rank<@l0.attn.q.recover_a, @l0.attn.q.recover_b>, umber.error = 4.1e-02 : f64, ...}
    umber.param @l0.attn.q.recover_a from "l0.attn.q.91C3" : tensor<16x576xf16> {umber.added}
    umber.param @l0.attn.q.recover_b from "l0.attn.q.07FA" : tensor<16x576xf16> {umber.added}

    %q = umber.linear %h, @l0.attn.q : tensor<?x576xf32> -> tensor<?x576xf32>
    %q0 = umber.lora %q, %h, %ad[@l0.attn.q] : tensor<?x576xf32>, tensor<?x576xf32>
    ```
  }];
  let options = [Option<"rank", "rank", "int64_t", "16",
                        "rank of a correction; at most the smaller side">,
                 Option<"all", "all", "bool", "false",
                        "also corrections that gain less than wider codes">,
                 Option<"factorBits", "factor-bits", "int64_t", "16",
                        "bits of the two matrices' elements: 8 or 16">,
                 RecipeOption, BitsOption, ChoicesOption, RefineRoundsOption,
                 StatisticsOption, InputDampingOption, OutputDampingOption,
                 DerivedOption];
  let dependentDialects = ["::mlir::umber::UmberDialect"];
}

#endif // UMBER_ADAPTERS_PASSES
