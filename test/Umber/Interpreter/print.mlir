// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How results are printed: tensors by rows, scalars, narrow types, caches.

// RUN: umber-interp %s | FileCheck %s --match-full-lines --strict-whitespace

//      CHECK:tensor<2x3xf32> {
// CHECK-NEXT:  [1, 2.5, -3]
// CHECK-NEXT:  [0.1, nan, -inf]
// CHECK-NEXT:}
// CHECK-NEXT:tensor<2x1x2xi32> {
// CHECK-NEXT:  [1, 2]
// CHECK-NEXT:  [3, -4]
// CHECK-NEXT:}
// CHECK-NEXT:tensor<2xbf16> {
// CHECK-NEXT:  [1, 3.140625]
// CHECK-NEXT:}
// CHECK-NEXT:tensor<0x3xf32> {
// CHECK-NEXT:}
// CHECK-NEXT:index {
// CHECK-NEXT:  [7]
// CHECK-NEXT:}
// CHECK-NEXT:f32 {
// CHECK-NEXT:  [1e-20]
// CHECK-NEXT:}
// CHECK-NEXT:!umber.kv_cache<3x1x2xf32> {
// CHECK-NEXT:  [0, 1, 0]
// CHECK-NEXT:}
func.func @main(%kv: !umber.kv_cache<3x1x2xf32>)
    -> (tensor<2x3xf32>, tensor<2x1x2xi32>, tensor<2xbf16>, tensor<0x3xf32>, index, f32,
        !umber.kv_cache<3x1x2xf32>) {
  %a = arith.constant dense<[[1.0, 2.5, -3.0], [0.1, 0x7FC00000, 0xFF800000]]> : tensor<2x3xf32>
  %b = arith.constant dense<[[[1, 2]], [[3, -4]]]> : tensor<2x1x2xi32>
  %c = arith.constant dense<[1.0, 3.14]> : tensor<2xbf16>
  %d = arith.constant dense<> : tensor<0x3xf32>
  %e = arith.constant 7 : index
  %f = arith.constant 1.0e-20 : f32
  %c0 = arith.constant 0 : index
  %k = arith.constant dense<1.0> : tensor<1x2xf32>
  %kv1 = umber.kv_update %kv[1], %k, %k at %c0 : !umber.kv_cache<3x1x2xf32>, tensor<1x2xf32>
  return %a, %b, %c, %d, %e, %f, %kv1
      : tensor<2x3xf32>, tensor<2x1x2xi32>, tensor<2xbf16>, tensor<0x3xf32>, index, f32,
        !umber.kv_cache<3x1x2xf32>
}

// Not run: there is a @main.
func.func @other() -> index {
  %c0 = arith.constant 0 : index
  return %c0 : index
}
