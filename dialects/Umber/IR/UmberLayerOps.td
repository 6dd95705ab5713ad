// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a decoder layer does to rows besides products and attention.

#ifndef UMBER_LAYER_OPS
#define UMBER_LAYER_OPS

include "dialects/Umber/IR/UmberOpBase.td"

def Umber_RmsNormOp : Umber_ParamUserOp<"rms_norm",
    [Pure, AllTypesMatch<["x", "result"]>]> {
  let summary = "scale rows to unit root mean square";
  let description = [{
    `result[t, c] = x[t, c] / sqrt(mean_c(x[t, c]^2) + eps) * (weight[c] + offset)`
    (Zhang & Sennrich 2019, arXiv:1910.07467). `offset` is 0 unless given; Gemma
    has 1. With `heads`, each row is that many vectors of equal length, each
    normalised on its own with the same weight (query/key norm).

    Shapes: x and result `T x H`, weight `H / heads`.

    Example:
    ```mlir
    %h = umber.rms_norm %x, @l0.attn_norm {eps = 1.0e-05 : f32} : tensor<?x576xf32>
    ```
  }];
  let arguments = (ins Umber_Rows:$x, FlatSymbolRefAttr:$weight, F32Attr:$eps,
                       DefaultValuedAttr<F32Attr, "0.0">:$offset,
                       DefaultValuedAttr<I64Attr, "1">:$heads);
  let results = (outs Umber_Rows:$result);
  let assemblyFormat = "$x `,` $weight attr-dict `:` type($x)";
  let hasVerifier = 1;
}

def Umber_RotaryOp : Umber_ParamUserOp<"rotary",
    [Pure, AllTypesMatch<["x", "result"]>]> {
  let summary = "rotate pairs of a head's elements by the token's position";
  let description = [{
    Rotary position embedding (Su et al. 2021, arXiv:2104.09864). Each row is
    `heads` vectors of `D` elements; the first `dims` (0: all) elements of each
    are rotated in pairs, pair `i` by the angle `(pos + t) * f_i` with
    `f_i = base^(-2 i / dims)`, stretched as `scaling` says and divided by
    `factors[i]` where that parameter is given:

        a' = a cos - b sin,   b' = a sin + b cos

    `interleaved`: pair `i` is elements `(2 i, 2 i + 1)`; `half`: elements
    `(i, i + dims / 2)`.

    Shapes: x and result `T x (heads * D)`, factors `dims / 2`.

    Example:
    ```mlir
    %q1 = umber.rotary %q at %pos {heads = 9, style = #umber.rotary_style<interleaved>, base = 1.0e+05 : f32} : tensor<?x576xf32>
    ```
  }];
  let arguments = (ins Umber_Rows:$x, Index:$pos, I64Attr:$heads,
                       Umber_RotaryStyleAttr:$style, F32Attr:$base,
                       DefaultValuedAttr<I64Attr, "0">:$dims,
                       OptionalAttr<Umber_RopeScalingAttr>:$scaling,
                       OptionalAttr<FlatSymbolRefAttr>:$factors);
  let results = (outs Umber_Rows:$result);
  let assemblyFormat = "$x `at` $pos attr-dict `:` type($x)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Elements per head.
    int64_t getHeadDim() { return getX().getType().getDimSize(1) / getHeads(); }
    /// Elements per head that are rotated: `dims`, or all of them.
    int64_t getRotatedDims() { return getDims() ? getDims() : getHeadDim(); }
    /// Radians per position of each pair, stretched by `scaling`, before `factors`.
    ::llvm::SmallVector<double> getFrequencies();
    /// What sines and cosines are multiplied by.
    double getMagnitude();
  }];
}

def Umber_GatedActivationOp : Umber_Op<"gated_activation",
    [Pure, SameOperandsAndResultType]> {
  let summary = "activate a gate and multiply";
  let description = [{
    `result = f(gate) * up`, element by element, with `f(z) = z / (1 + exp(-z))`
    for `silu`, and `f(z) = z/2 (1 + tanh(sqrt(2/π) (z + 0.044715 z^3)))` for
    `gelu_tanh` (Shazeer 2020, arXiv:2002.05202).

    Example:
    ```mlir
    %a = umber.gated_activation %gate, %up {function = #umber.activation<silu>} : tensor<?x1536xf32>
    ```
  }];
  let arguments = (ins Umber_Rows:$gate, Umber_Rows:$up,
                       Umber_ActivationAttr:$function);
  let results = (outs Umber_Rows:$result);
  let assemblyFormat = "$gate `,` $up attr-dict `:` type($result)";
}

#endif // UMBER_LAYER_OPS
