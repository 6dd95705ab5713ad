// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Matrix products with parameters, and their low-rank adapters.

#ifndef UMBER_LINEAR_OPS
#define UMBER_LINEAR_OPS

include "dialects/Umber/IR/UmberOpBase.td"

def Umber_LinearOp : Umber_ParamUserOp<"linear", [Pure]> {
  let summary = "product with a weight matrix";
  let description = [{
    `result[t, o] = sum_i weight[o, i] * x[t, i] + bias[o]`. With a palettized
    weight and a quantized `x` the products accumulate exactly in 32-bit
    integers within a group of `x` and groups combine in f32.

    Shapes: x `T x I`, weight `O x I`, bias `O`, result `T x O`.

    Example:
    ```mlir
    %q = umber.linear %h, @l0.attn.q : tensor<?x576xf32> -> tensor<?x576xf32>
    %k = umber.linear %h, @l0.attn.k bias @l0.attn.k_bias : tensor<?x576xf32> -> tensor<?x192xf32>
    ```
  }];
  let arguments = (ins Umber_Rows:$x, FlatSymbolRefAttr:$weight,
                       OptionalAttr<FlatSymbolRefAttr>:$bias);
  let results = (outs Umber_Rows:$result);
  let assemblyFormat = [{
    $x `,` $weight (`bias` $bias^)? attr-dict `:` type($x) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Umber_LoraOp : Umber_Op<"lora", [Pure, AllTypesMatch<["y", "result"]>]> {
  let summary = "add what the active adapters have for a site";
  let description = [{
    `result = y + sum_a s_a * B_a (A_a x)` over the active adapters `a` that have
    matrices for `site`: `A_a` is `r_a x I`, `B_a` is `O x r_a`, both 16-bit,
    accumulated in f32; `s_a` is the adapter's scale times `alpha / r_a` (Hu et
    al. 2021, arXiv:2106.09685). Ranks are run-time values. The site is named by
    the parameter it corrects. What that parameter names as `recover` is added
    before the adapters'; without it and without adapters the result is `y`.

    Shapes: y and result `T x O`, x `T x I`.

    Example:
    ```mlir
    %q1 = umber.lora %q, %h, %ad[@l0.attn.q] : tensor<?x576xf32>, tensor<?x576xf32>
    ```
  }];
  let arguments = (ins Umber_Rows:$y, Umber_Rows:$x,
                       Umber_AdaptersType:$adapters, FlatSymbolRefAttr:$site);
  let results = (outs Umber_Rows:$result);
  let assemblyFormat = [{
    $y `,` $x `,` $adapters `[` $site `]` attr-dict `:` type($y) `,` type($x)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The correction that the site's parameter names; null if it names none.
    ::mlir::umber::LowRankAttr getRecovery();
  }];
}

#endif // UMBER_LINEAR_OPS
