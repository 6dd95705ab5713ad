// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Element-wise arithmetic on tensors and on scalars.

// RUN: umber-interp %s | count 0

func.func @floats() {
  %a = arith.constant dense<[[1.0, -2.0, 0.5]]> : tensor<1x3xf32>
  %b = arith.constant dense<[[4.0, 0.5, -8.0]]> : tensor<1x3xf32>
  %add = arith.addf %a, %b : tensor<1x3xf32>
  %want_add = arith.constant dense<[[5.0, -1.5, -7.5]]> : tensor<1x3xf32>
  umber.check %add, %want_add : tensor<1x3xf32>
  %sub = arith.subf %a, %b : tensor<1x3xf32>
  %want_sub = arith.constant dense<[[-3.0, -2.5, 8.5]]> : tensor<1x3xf32>
  umber.check %sub, %want_sub : tensor<1x3xf32>
  %mul = arith.mulf %a, %b : tensor<1x3xf32>
  %want_mul = arith.constant dense<[[4.0, -1.0, -4.0]]> : tensor<1x3xf32>
  umber.check %mul, %want_mul : tensor<1x3xf32>
  %div = arith.divf %a, %b : tensor<1x3xf32>
  %want_div = arith.constant dense<[[0.25, -4.0, -0.0625]]> : tensor<1x3xf32>
  umber.check %div, %want_div : tensor<1x3xf32>
  %neg = arith.negf %a : tensor<1x3xf32>
  %want_neg = arith.constant dense<[[-1.0, 2.0, -0.5]]> : tensor<1x3xf32>
  umber.check %neg, %want_neg : tensor<1x3xf32>
  %max = arith.maximumf %a, %b : tensor<1x3xf32>
  %want_max = arith.constant dense<[[4.0, 0.5, 0.5]]> : tensor<1x3xf32>
  umber.check %max, %want_max : tensor<1x3xf32>
  %min = arith.minimumf %a, %b : tensor<1x3xf32>
  %want_min = arith.constant dense<[[1.0, -2.0, -8.0]]> : tensor<1x3xf32>
  umber.check %min, %want_min : tensor<1x3xf32>
  return
}

// maximumf gives NaN for a NaN, maxnumf the other operand.
func.func @not_a_number() {
  %nan = arith.constant dense<0x7FC00000> : tensor<2xf32>
  %one = arith.constant dense<1.0> : tensor<2xf32>
  %max = arith.maximumf %nan, %one : tensor<2xf32>
  umber.check %max, %nan : tensor<2xf32>
  %num = arith.maxnumf %nan, %one : tensor<2xf32>
  umber.check %num, %one : tensor<2xf32>
  return
}

// 2049 is halfway between two f16 values and goes to the even one; so does
// 257 in bf16.
func.func @rounds_to_the_element_type() {
  %a = arith.constant dense<[2048.0, 2048.0, 60000.0]> : tensor<3xf16>
  %b = arith.constant dense<[1.0, 3.0, 60000.0]> : tensor<3xf16>
  %sum = arith.addf %a, %b : tensor<3xf16>
  %want = arith.constant dense<[2048.0, 2052.0, 0x7C00]> : tensor<3xf16>
  umber.check %sum, %want : tensor<3xf16>
  %c = arith.constant dense<[257.0, 259.0]> : tensor<2xf32>
  %d = arith.truncf %c : tensor<2xf32> to tensor<2xbf16>
  %e = arith.extf %d : tensor<2xbf16> to tensor<2xf32>
  %want_e = arith.constant dense<[256.0, 260.0]> : tensor<2xf32>
  umber.check %e, %want_e : tensor<2xf32>
  return
}

func.func @integers() {
  %a = arith.constant dense<[7, -7, 2147483647]> : tensor<3xi32>
  %b = arith.constant dense<[2, 2, 1]> : tensor<3xi32>
  %add = arith.addi %a, %b : tensor<3xi32>
  %want_add = arith.constant dense<[9, -5, -2147483648]> : tensor<3xi32>
  umber.check %add, %want_add : tensor<3xi32>
  %sub = arith.subi %a, %b : tensor<3xi32>
  %want_sub = arith.constant dense<[5, -9, 2147483646]> : tensor<3xi32>
  umber.check %sub, %want_sub : tensor<3xi32>
  %mul = arith.muli %a, %b : tensor<3xi32>
  %want_mul = arith.constant dense<[14, -14, 2147483647]> : tensor<3xi32>
  umber.check %mul, %want_mul : tensor<3xi32>
  %div = arith.divsi %a, %b : tensor<3xi32>
  %want_div = arith.constant dense<[3, -3, 2147483647]> : tensor<3xi32>
  umber.check %div, %want_div : tensor<3xi32>
  %rem = arith.remsi %a, %b : tensor<3xi32>
  %want_rem = arith.constant dense<[1, -1, 0]> : tensor<3xi32>
  umber.check %rem, %want_rem : tensor<3xi32>
  return
}

func.func @compare_and_select() {
  %a = arith.constant dense<[-1, 0, 1]> : tensor<3xi32>
  %b = arith.constant dense<[1, 0, -1]> : tensor<3xi32>
  %signed = arith.cmpi slt, %a, %b : tensor<3xi32>
  %want_signed = arith.constant dense<[true, false, false]> : tensor<3xi1>
  umber.check %signed, %want_signed : tensor<3xi1>
  %unsigned = arith.cmpi ult, %a, %b : tensor<3xi32>
  %want_unsigned = arith.constant dense<[false, false, true]> : tensor<3xi1>
  umber.check %unsigned, %want_unsigned : tensor<3xi1>
  %chosen = arith.select %signed, %a, %b : tensor<3xi1>, tensor<3xi32>
  %want_chosen = arith.constant dense<[-1, 0, -1]> : tensor<3xi32>
  umber.check %chosen, %want_chosen : tensor<3xi32>
  %x = arith.constant dense<[1.0, 0x7FC00000]> : tensor<2xf32>
  %ordered = arith.cmpf oeq, %x, %x : tensor<2xf32>
  %want_ordered = arith.constant dense<[true, false]> : tensor<2xi1>
  umber.check %ordered, %want_ordered : tensor<2xi1>
  return
}

func.func @scalars() {
  %c5 = arith.constant 5 : index
  %c7 = arith.constant 7 : index
  %less = arith.cmpi slt, %c7, %c5 : index
  %min = arith.select %less, %c7, %c5 : index
  %sum = arith.addi %min, %c7 : index
  %narrow = arith.index_cast %sum : index to i32
  %float = arith.sitofp %narrow : i32 to f32
  %half = arith.constant 0.5 : f32
  %product = arith.mulf %float, %half : f32
  %y = tensor.from_elements %product : tensor<1xf32>
  %want = arith.constant dense<6.0> : tensor<1xf32>
  umber.check %y, %want : tensor<1xf32>
  return
}

func.func @integer_widths() {
  %a = arith.constant dense<[200, -1]> : tensor<2xi32>
  %narrow = arith.trunci %a : tensor<2xi32> to tensor<2xi8>
  %signed = arith.extsi %narrow : tensor<2xi8> to tensor<2xi64>
  %want_signed = arith.constant dense<[-56, -1]> : tensor<2xi64>
  umber.check %signed, %want_signed : tensor<2xi64>
  %unsigned = arith.extui %narrow : tensor<2xi8> to tensor<2xi64>
  %want_unsigned = arith.constant dense<[200, 255]> : tensor<2xi64>
  umber.check %unsigned, %want_unsigned : tensor<2xi64>
  return
}
