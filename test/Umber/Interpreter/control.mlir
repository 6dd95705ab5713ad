// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls and kernels, with caches and adapters through them; an empty set of
// adapters adds nothing.

// RUN: umber-interp %s | count 0

umber.param @w : tensor<2xf32> {value = dense<[2.0, 4.0]> : tensor<2xf32>}

func.func private @twice(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, index) {
  %y = arith.addf %x, %x : tensor<?x2xf32>
  %c0 = arith.constant 0 : index
  %n = tensor.dim %y, %c0 : tensor<?x2xf32>
  return %y, %n : tensor<?x2xf32>, index
}

func.func @calls() {
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %a = tensor.cast %x : tensor<2x2xf32> to tensor<?x2xf32>
  %y:2 = call @twice(%a) : (tensor<?x2xf32>) -> (tensor<?x2xf32>, index)
  %z:2 = call @twice(%y#0) : (tensor<?x2xf32>) -> (tensor<?x2xf32>, index)
  %want = arith.constant dense<[[4.0, 8.0], [12.0, 16.0]]> : tensor<2x2xf32>
  %b = tensor.cast %z#0 : tensor<?x2xf32> to tensor<2x2xf32>
  umber.check %b, %want : tensor<2x2xf32>
  %n = tensor.from_elements %z#1 : tensor<1xindex>
  %want_n = arith.constant dense<2> : tensor<1xindex>
  umber.check %n, %want_n : tensor<1xindex>
  return
}

func.func @kernels(%kv: !umber.kv_cache<1x1x2xf32>, %ad: !umber.adapters) {
  %x = arith.constant dense<[[1.0, 1.0]]> : tensor<1x2xf32>
  %c0 = arith.constant 0 : index
  %h, %kv1 = umber.kernel @first (%a = %x : tensor<1x2xf32>, %c = %kv : !umber.kv_cache<1x1x2xf32>,
                                  %p = %c0 : index)
      -> (tensor<1x2xf32>, !umber.kv_cache<1x1x2xf32>) {
    %0 = umber.rms_norm %a, @w {eps = 0.0 : f32} : tensor<1x2xf32>
    %1 = umber.kv_update %c[0], %0, %0 at %p : !umber.kv_cache<1x1x2xf32>, tensor<1x2xf32>
    umber.yield %0, %1 : tensor<1x2xf32>, !umber.kv_cache<1x1x2xf32>
  }
  %o = umber.attention %h, %kv1[0] at %c0 {heads = 1 : i64, kv_heads = 1 : i64, scale = 1.0 : f32}
      : tensor<1x2xf32>, !umber.kv_cache<1x1x2xf32>
  %l = umber.lora %o, %x, %ad[@w] : tensor<1x2xf32>, tensor<1x2xf32>
  %want = arith.constant dense<[[2.0, 4.0]]> : tensor<1x2xf32>
  umber.check %l, %want : tensor<1x2xf32>
  return
}

func.func @observed() {
  %x = arith.constant dense<[[1.0, 1.0]]> : tensor<1x2xf32>
  umber.observe %x as "x" : tensor<1x2xf32>
  umber.observe %x as "x" : tensor<1x2xf32>
  return
}
