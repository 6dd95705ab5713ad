// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of the math dialect at points whose values are known.

// RUN: umber-interp %s | count 0

func.func @functions() {
  %x = arith.constant dense<[0.0, 1.0, 4.0]> : tensor<3xf32>
  %exp = math.exp %x : tensor<3xf32>
  %want_exp = arith.constant dense<[1.0, 2.71828183, 54.59815]> : tensor<3xf32>
  umber.check %exp, %want_exp {rtol = 2.0e-07 : f32} : tensor<3xf32>
  %log = math.log %exp : tensor<3xf32>
  umber.check %log, %x {rtol = 2.0e-07 : f32} : tensor<3xf32>
  %sqrt = math.sqrt %x : tensor<3xf32>
  %want_sqrt = arith.constant dense<[0.0, 1.0, 2.0]> : tensor<3xf32>
  umber.check %sqrt, %want_sqrt : tensor<3xf32>
  %rsqrt = math.rsqrt %x : tensor<3xf32>
  %want_rsqrt = arith.constant dense<[0x7F800000, 1.0, 0.5]> : tensor<3xf32>
  umber.check %rsqrt, %want_rsqrt : tensor<3xf32>
  %tanh = math.tanh %x : tensor<3xf32>
  %want_tanh = arith.constant dense<[0.0, 0.76159416, 0.99932930]> : tensor<3xf32>
  umber.check %tanh, %want_tanh {rtol = 2.0e-07 : f32} : tensor<3xf32>
  %erf = math.erf %x : tensor<3xf32>
  %want_erf = arith.constant dense<[0.0, 0.84270079, 1.0]> : tensor<3xf32>
  umber.check %erf, %want_erf {rtol = 2.0e-07 : f32} : tensor<3xf32>
  %sin = math.sin %x : tensor<3xf32>
  %want_sin = arith.constant dense<[0.0, 0.84147098, -0.75680250]> : tensor<3xf32>
  umber.check %sin, %want_sin {rtol = 2.0e-07 : f32} : tensor<3xf32>
  %cos = math.cos %x : tensor<3xf32>
  %want_cos = arith.constant dense<[1.0, 0.54030231, -0.65364362]> : tensor<3xf32>
  umber.check %cos, %want_cos {rtol = 2.0e-07 : f32} : tensor<3xf32>
  %neg = arith.negf %x : tensor<3xf32>
  %abs = math.absf %neg : tensor<3xf32>
  umber.check %abs, %x : tensor<3xf32>
  %halves = arith.constant dense<[0.5, 1.5, -2.5]> : tensor<3xf32>
  %even = math.roundeven %halves : tensor<3xf32>
  %want_even = arith.constant dense<[0.0, 2.0, -2.0]> : tensor<3xf32>
  umber.check %even, %want_even : tensor<3xf32>
  return
}
