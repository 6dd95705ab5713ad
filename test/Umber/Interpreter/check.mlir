// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// umber.check: what passes, and what the first failure says.

// RUN: split-file %s %t
// RUN: umber-interp %t/passes.mlir | count 0
// RUN: not umber-interp %t/index.mlir 2>&1 | FileCheck %s --check-prefix=INDEX
// RUN: not umber-interp %t/tolerance.mlir 2>&1 | FileCheck %s --check-prefix=TOLERANCE
// RUN: not umber-interp %t/nan.mlir 2>&1 | FileCheck %s --check-prefix=NAN
// RUN: not umber-interp %t/infinity.mlir 2>&1 | FileCheck %s --check-prefix=INFINITY
// RUN: not umber-interp %t/integer.mlir 2>&1 | FileCheck %s --check-prefix=INTEGER
// RUN: not umber-interp %t/shape.mlir 2>&1 | FileCheck %s --check-prefix=SHAPE

//--- passes.mlir
func.func @main() {
  %a = arith.constant dense<[1.0, 0x7FC00000, 0x7F800000, 100.0]> : tensor<4xf32>
  %b = arith.constant dense<[1.5, 0x7FC00000, 0x7F800000, 101.0]> : tensor<4xf32>
  umber.check %a, %b {atol = 0.25 : f32, rtol = 0.25 : f32} : tensor<4xf32>
  umber.check %a, %a : tensor<4xf32>
  %i = arith.constant dense<[1, -9]> : tensor<2xi64>
  %j = arith.constant dense<[2, -10]> : tensor<2xi64>
  umber.check %i, %j {atol = 1.0 : f32} : tensor<2xi64>
  return
}

//--- index.mlir
// INDEX: umber-interp: error: {{.*}}index.mlir:5:3: 'umber.check' op failed at [1, 2]: actual 0.1, expected 0.10000001
func.func @main() {
  %a = arith.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 0.1]]> : tensor<2x3xf32>
  %b = arith.constant dense<[[0.0, 1.0, 2.0], [3.0, 4.0, 0.10000001]]> : tensor<2x3xf32>
  umber.check %a, %b : tensor<2x3xf32>
  return
}

//--- tolerance.mlir
// The tolerance is relative to what is expected.
// TOLERANCE: failed at [1]: actual 2, expected 1
func.func @main() {
  %a = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = arith.constant dense<[2.0, 1.0]> : tensor<2xf32>
  umber.check %a, %b {rtol = 0.5 : f32} : tensor<2xf32>
  return
}

//--- nan.mlir
// NAN: failed at [0]: actual 1, expected nan
func.func @main() {
  %a = arith.constant dense<1.0> : tensor<1xf32>
  %b = arith.constant dense<0x7FC00000> : tensor<1xf32>
  umber.check %a, %b {atol = 1.0e+10 : f32, rtol = 1.0 : f32} : tensor<1xf32>
  return
}

//--- infinity.mlir
// INFINITY: failed at [0]: actual 1, expected inf
func.func @main() {
  %a = arith.constant dense<1.0> : tensor<1xf32>
  %b = arith.constant dense<0x7F800000> : tensor<1xf32>
  umber.check %a, %b {rtol = 1.0 : f32} : tensor<1xf32>
  return
}

//--- integer.mlir
// INTEGER: failed at [1]: actual 9007199254740993, expected 9007199254740992
func.func @main() {
  %a = arith.constant dense<[3, 9007199254740993]> : tensor<2xi64>
  %b = arith.constant dense<[3, 9007199254740992]> : tensor<2xi64>
  umber.check %a, %b : tensor<2xi64>
  return
}

//--- shape.mlir
// SHAPE: 'umber.check' op failed: actual is 2xf32, expected is 3xf32
func.func @main() {
  %a = arith.constant dense<1.0> : tensor<2xf32>
  %b = arith.constant dense<1.0> : tensor<3xf32>
  %c = tensor.cast %a : tensor<2xf32> to tensor<?xf32>
  %d = tensor.cast %b : tensor<3xf32> to tensor<?xf32>
  umber.check %c, %d : tensor<?xf32>
  return
}
