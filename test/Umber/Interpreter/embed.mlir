// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows of a table, in the element type of the table, scaled where asked.

// RUN: umber-interp %s | count 0

umber.param @table : tensor<4x3xf32> {value = dense<[
    [0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0], [0.1, -0.1, 70000.0]]> : tensor<4x3xf32>}
umber.param @narrow : tensor<2x2xf16> {value = dense<[[1.0, 2.0], [0.5, -0.25]]> : tensor<2x2xf16>}

func.func @plain() {
  %ids = arith.constant dense<[2, 0, 2, 3]> : tensor<4xi32>
  %y = umber.embed @table[%ids] : tensor<4xi32> -> tensor<4x3xf32>
  %want = arith.constant dense<[
      [6.0, 7.0, 8.0], [0.0, 1.0, 2.0], [6.0, 7.0, 8.0], [0.1, -0.1, 70000.0]]> : tensor<4x3xf32>
  umber.check %y, %want : tensor<4x3xf32>
  return
}

func.func @scaled() {
  %ids = arith.constant dense<1> : tensor<1xi32>
  %y = umber.embed @narrow[%ids] {scale = 24.0 : f32} : tensor<1xi32> -> tensor<1x2xf32>
  %want = arith.constant dense<[[12.0, -6.0]]> : tensor<1x2xf32>
  umber.check %y, %want : tensor<1x2xf32>
  return
}

func.func @no_tokens() {
  %ids = arith.constant dense<> : tensor<0xi32>
  %y = umber.embed @table[%ids] : tensor<0xi32> -> tensor<0x3xf32>
  %want = arith.constant dense<> : tensor<0x3xf32>
  umber.check %y, %want : tensor<0x3xf32>
  return
}
