// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: umber-opt %s --canonicalize --split-input-file | FileCheck %s

// A kernel loses results that nobody uses, inputs it does not read, and second
// copies of an input.

// CHECK-LABEL: func.func @kernel
// CHECK-SAME: (%[[X:.*]]: tensor<2x4xf32>, %{{.*}}: tensor<2x4xf32>)
func.func @kernel(%x: tensor<2x4xf32>, %unused: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // CHECK: %[[K:.*]] = umber.kernel @k (%[[A:.*]] = %[[X]] : tensor<2x4xf32>) -> tensor<2x4xf32> {
  // CHECK-NEXT: %[[S:.*]] = arith.addf %[[A]], %[[A]]
  // CHECK-NEXT: umber.yield %[[S]] : tensor<2x4xf32>
  %r:2 = umber.kernel @k (%a = %x : tensor<2x4xf32>, %b = %unused : tensor<2x4xf32>, %c = %x : tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
    %s = arith.addf %a, %c : tensor<2x4xf32>
    %m = arith.mulf %b, %s : tensor<2x4xf32>
    umber.yield %m, %s : tensor<2x4xf32>, tensor<2x4xf32>
  }
  // CHECK: return %[[K]]
  return %r#1 : tensor<2x4xf32>
}

// -----

// Quantizing what was dequantized from the same quantized value is that value.

// CHECK-LABEL: func.func @requantize
func.func @requantize(%x: tensor<2x4xf32>) -> tensor<2x4xf32, #umber.quantized<bits = 8, group = 2>> {
  // CHECK: %[[Q:.*]] = umber.quantize
  // CHECK-NEXT: return %[[Q]]
  %q = umber.quantize %x : tensor<2x4xf32> -> tensor<2x4xf32, #umber.quantized<bits = 8, group = 2>>
  %d = umber.dequantize %q : tensor<2x4xf32, #umber.quantized<bits = 8, group = 2>> -> tensor<2x4xf32>
  %q2 = umber.quantize %d : tensor<2x4xf32> -> tensor<2x4xf32, #umber.quantized<bits = 8, group = 2>>
  return %q2 : tensor<2x4xf32, #umber.quantized<bits = 8, group = 2>>
}

// -----

// But rounding is not undone, and another encoding is another value.

// CHECK-LABEL: func.func @keep
func.func @keep(%x: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32, #umber.quantized<bits = 4, group = 2>>) {
  // CHECK: umber.quantize
  // CHECK: umber.dequantize
  // CHECK: umber.quantize
  %q = umber.quantize %x : tensor<2x4xf32> -> tensor<2x4xf32, #umber.quantized<bits = 8, group = 2>>
  %d = umber.dequantize %q : tensor<2x4xf32, #umber.quantized<bits = 8, group = 2>> -> tensor<2x4xf32>
  %q2 = umber.quantize %d : tensor<2x4xf32> -> tensor<2x4xf32, #umber.quantized<bits = 4, group = 2>>
  return %d, %q2 : tensor<2x4xf32>, tensor<2x4xf32, #umber.quantized<bits = 4, group = 2>>
}
