// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Making, measuring and cutting tensors, with static and dynamic sizes.

// RUN: umber-interp %s | count 0

func.func private @grid() -> tensor<?x4xf32> {
  %x = arith.constant dense<[
      [0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0], [8.0, 9.0, 10.0, 11.0]]> : tensor<3x4xf32>
  %y = tensor.cast %x : tensor<3x4xf32> to tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

func.func @static_slice() {
  %x = call @grid() : () -> tensor<?x4xf32>
  %y = tensor.extract_slice %x[1, 0] [2, 2] [1, 3] : tensor<?x4xf32> to tensor<2x2xf32>
  %want = arith.constant dense<[[4.0, 7.0], [8.0, 11.0]]> : tensor<2x2xf32>
  umber.check %y, %want : tensor<2x2xf32>
  return
}

func.func @last_rows() {
  %x = call @grid() : () -> tensor<?x4xf32>
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x4xf32>
  %count = arith.constant 1 : index
  %first = arith.subi %rows, %count : index
  %y = tensor.extract_slice %x[%first, 0] [%count, 4] [1, 1] : tensor<?x4xf32> to tensor<?x4xf32>
  %want = arith.constant dense<[[8.0, 9.0, 10.0, 11.0]]> : tensor<1x4xf32>
  %z = tensor.cast %y : tensor<?x4xf32> to tensor<1x4xf32>
  umber.check %z, %want : tensor<1x4xf32>
  return
}

func.func @no_rows() {
  %x = call @grid() : () -> tensor<?x4xf32>
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x4xf32>
  %y = tensor.extract_slice %x[%rows, 0] [%c0, 4] [1, 1] : tensor<?x4xf32> to tensor<?x4xf32>
  %want = arith.constant dense<> : tensor<0x4xf32>
  %z = tensor.cast %y : tensor<?x4xf32> to tensor<0x4xf32>
  umber.check %z, %want : tensor<0x4xf32>
  return
}

func.func @backwards_and_reduced() {
  %x = call @grid() : () -> tensor<?x4xf32>
  %back = arith.constant -2 : index
  %y = tensor.extract_slice %x[2, 3] [1, 2] [1, %back] : tensor<?x4xf32> to tensor<2xf32>
  %want = arith.constant dense<[11.0, 9.0]> : tensor<2xf32>
  umber.check %y, %want : tensor<2xf32>
  return
}

func.func @insert() {
  %x = call @grid() : () -> tensor<?x4xf32>
  %patch = arith.constant dense<[[-1.0, -2.0]]> : tensor<1x2xf32>
  %y = tensor.insert_slice %patch into %x[1, 1] [1, 2] [1, 2] : tensor<1x2xf32> into tensor<?x4xf32>
  %z = tensor.cast %y : tensor<?x4xf32> to tensor<3x4xf32>
  %want = arith.constant dense<[
      [0.0, 1.0, 2.0, 3.0], [4.0, -1.0, 6.0, -2.0], [8.0, 9.0, 10.0, 11.0]]> : tensor<3x4xf32>
  umber.check %z, %want : tensor<3x4xf32>
  // The operand is a value, and keeps its own.
  %same = call @grid() : () -> tensor<?x4xf32>
  umber.check %x, %same : tensor<?x4xf32>
  return
}

func.func @elements() {
  %x = call @grid() : () -> tensor<?x4xf32>
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %a = tensor.extract %x[%c1, %c2] : tensor<?x4xf32>
  %b = tensor.extract %x[%c2, %c1] : tensor<?x4xf32>
  %y = tensor.from_elements %a, %b : tensor<2xf32>
  %want = arith.constant dense<[6.0, 9.0]> : tensor<2xf32>
  umber.check %y, %want : tensor<2xf32>
  %s = tensor.splat %a[%c2] : tensor<?x3xf32>
  %t = tensor.cast %s : tensor<?x3xf32> to tensor<2x3xf32>
  %want_t = arith.constant dense<6.0> : tensor<2x3xf32>
  umber.check %t, %want_t : tensor<2x3xf32>
  return
}

// What nobody wrote is no number.
func.func @empty() {
  %c2 = arith.constant 2 : index
  %e = tensor.empty(%c2) : tensor<?xf32>
  %y = tensor.cast %e : tensor<?xf32> to tensor<2xf32>
  %nan = arith.constant dense<0x7FC00000> : tensor<2xf32>
  umber.check %y, %nan : tensor<2xf32>
  return
}
