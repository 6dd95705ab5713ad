// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantization of activations, calibration, and numeric checks.

#ifndef UMBER_QUANT_OPS
#define UMBER_QUANT_OPS

include "dialects/Umber/IR/UmberOpBase.td"

def Umber_QuantizeOp : Umber_Op<"quantize", [Pure]> {
  let summary = "round rows to small integers with scales";
  let description = [{
    Per row and group of columns of the result's `#umber.quantized` encoding:
    `scale = max|x| / (2^(bits-1) - 1)`, `q = round_half_even(x / scale)`; a group
    of zeros has scale 0. Logically the result is `q * scale`.

    Example:
    ```mlir
    %q = umber.quantize %x : tensor<?x576xf32> -> tensor<?x576xf32, #umber.quantized<bits = 8, group = 64>>
    ```
  }];
  let arguments = (ins Umber_Rows:$x);
  let results = (outs Umber_Rows:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Umber_DequantizeOp : Umber_Op<"dequantize", [Pure]> {
  let summary = "the plain f32 tensor that a quantized one stands for";
  let description = [{
    `result[t, c] = q[t, c] * scale[t, c / group]`.

    Example:
    ```mlir
    %y = umber.dequantize %q : tensor<?x576xf32, #umber.quantized<bits = 8, group = 64>> -> tensor<?x576xf32>
    ```
  }];
  let arguments = (ins Umber_Rows:$x);
  let results = (outs Umber_Rows:$result);
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($result)";
  let hasVerifier = 1;
}

def Umber_ObserveOp : Umber_Op<"observe"> {
  let summary = "collect calibration statistics of a value";
  let description = [{
    Adds the rows of `x` to the statistics kept under `name`: how many there
    were, each column's largest magnitude, and the second-moment matrix
    `sum_t x[t]^T x[t]`. Has no result and does not change what is computed.

    Example:
    ```mlir
    umber.observe %h as "l0.attn.in" : tensor<?x576xf32>
    ```
  }];
  let arguments = (ins Umber_Rows:$x, StrAttr:$name);
  let assemblyFormat = "$x `as` $name attr-dict `:` type($x)";
  let hasVerifier = 1;
}

def Umber_CheckOp : Umber_Op<"check", [SameTypeOperands]> {
  let summary = "fail unless two tensors are close";
  let description = [{
    For tests: in the interpreter, fails with the first differing index unless
    `|actual - expected| <= atol + rtol * |expected|` everywhere; both are 0
    unless given. Two NaNs are equal.

    Example:
    ```mlir
    umber.check %y, %expected {atol = 1.0e-06 : f32} : tensor<2x3xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$actual, AnyRankedTensor:$expected,
                       DefaultValuedAttr<F32Attr, "0.0">:$atol,
                       DefaultValuedAttr<F32Attr, "0.0">:$rtol);
  let assemblyFormat = "$actual `,` $expected attr-dict `:` type($actual)";
  let hasVerifier = 1;
}

#endif // UMBER_QUANT_OPS
