// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every op, type and attribute prints as it is written, and again from bytecode.

// RUN: umber-opt %s --verify-roundtrip | FileCheck %s
// RUN: umber-opt %s --emit-bytecode | umber-opt | FileCheck %s

// CHECK: module @m attributes {umber.model = #umber.model<arch = "llama", layers = 2, context_length = 64, vocab = 101>}
module @m attributes {umber.model = #umber.model<arch = "llama", layers = 2, context_length = 64, vocab = 101>} {
// CHECK: umber.param @embed from "token_embd.weight" : tensor<101x32xf16, #umber.quantized<bits = 8>>
umber.param @embed from "token_embd.weight" : tensor<101x32xf16, #umber.quantized<bits = 8>>
// CHECK: umber.param @w : tensor<32x32xf16, #umber.palette<bits = 4, rows = 16>>
umber.param @w : tensor<32x32xf16, #umber.palette<bits = 4, rows = 16>>
// CHECK: umber.param @w2 : tensor<16x32xf16, #umber.palette<bits = 2, rows = 8, cols = 16, scale = row, scale_cols = 8>>
umber.param @w2 : tensor<16x32xf16, #umber.palette<bits = 2, rows = 8, cols = 16, scale = row, scale_cols = 8>>
// CHECK: umber.param @w3 : tensor<16x32xf16, #umber.palette<bits = 2, rows = 16>> {recover = #umber.low_rank<@w3.a, @w3.b>}
umber.param @w3 : tensor<16x32xf16, #umber.palette<bits = 2, rows = 16>> {recover = #umber.low_rank<@w3.a, @w3.b>}
umber.param @w3.a : tensor<2x32xf16>
umber.param @w3.b : tensor<2x16xf16>
umber.param @b : tensor<32xf32>
umber.param @n : tensor<32xf32>
umber.param @hn : tensor<16xf32>
umber.param @factors : tensor<8xf32>
// CHECK: umber.param @small : tensor<2xf32> = dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
umber.param @small : tensor<2xf32> = dense<[1.0, 2.0]> : tensor<2xf32>

// CHECK-LABEL: func.func @ops
func.func @ops(%ids: tensor<?xi32>, %pos: index, %kv: !umber.kv_cache<2x1x16xi8>, %ad: !umber.adapters) -> (tensor<?x32xf32>, !umber.kv_cache<2x1x16xi8>) {
  // CHECK: %[[X:.*]] = umber.embed @embed[%{{.*}}] {scale = 5.{{.*}} : f32} : tensor<?xi32> -> tensor<?x32xf32>
  %x = umber.embed @embed[%ids] {scale = 5.5 : f32} : tensor<?xi32> -> tensor<?x32xf32>
  // CHECK: umber.observe %[[X]] as "x" : tensor<?x32xf32>
  umber.observe %x as "x" : tensor<?x32xf32>
  // CHECK: umber.rms_norm %[[X]], @n {eps = 9.99999974E-6 : f32} : tensor<?x32xf32>
  %h = umber.rms_norm %x, @n {eps = 1.0e-05 : f32} : tensor<?x32xf32>
  // CHECK: umber.rms_norm %{{.*}}, @hn {eps = 0.000000e+00 : f32, heads = 2 : i64, offset = 1.000000e+00 : f32}
  %hh = umber.rms_norm %x, @hn {eps = 0.0 : f32, offset = 1.0 : f32, heads = 2 : i64} : tensor<?x32xf32>
  // CHECK: umber.quantize %{{.*}} : tensor<?x32xf32> -> tensor<?x32xf32, #umber.quantized<bits = 8, group = 16>>
  %q8 = umber.quantize %h : tensor<?x32xf32> -> tensor<?x32xf32, #umber.quantized<bits = 8, group = 16>>
  // CHECK: umber.linear %{{.*}}, @w bias @b : tensor<?x32xf32, #umber.quantized<bits = 8, group = 16>> -> tensor<?x32xf32>
  %q = umber.linear %q8, @w bias @b : tensor<?x32xf32, #umber.quantized<bits = 8, group = 16>> -> tensor<?x32xf32>
  // CHECK: umber.lora %{{.*}}, %{{.*}}, %{{.*}}[@w] : tensor<?x32xf32>, tensor<?x32xf32>
  %q1 = umber.lora %q, %h, %ad[@w] : tensor<?x32xf32>, tensor<?x32xf32>
  // CHECK: umber.dequantize
  %d = umber.dequantize %q8 : tensor<?x32xf32, #umber.quantized<bits = 8, group = 16>> -> tensor<?x32xf32>
  // CHECK: umber.linear %{{.*}}, @w2 : tensor<?x32xf32> -> tensor<?x16xf32>
  %k = umber.linear %d, @w2 : tensor<?x32xf32> -> tensor<?x16xf32>
  // CHECK: umber.rotary %{{.*}} at %{{.*}} {base = 1.000000e+04 : f32, factors = @factors, heads = 2 : i64, style = #umber.rotary_style<half>}
  %q2 = umber.rotary %q1 at %pos {heads = 2, style = #umber.rotary_style<half>, base = 1.0e+04 : f32, factors = @factors} : tensor<?x32xf32>
  // CHECK: dims = 8 : i64, {{.*}}scaling = #umber.rope_scaling<kind = llama3, factor = 8.000000e+00 : f32, original_context = 8192, low_freq_factor = 1.000000e+00 : f32, high_freq_factor = 4.000000e+00 : f32>
  %k1 = umber.rotary %k at %pos {heads = 1, style = #umber.rotary_style<interleaved>, base = 1.0e+04 : f32, dims = 8 : i64, scaling = #umber.rope_scaling<kind = llama3, factor = 8.0 : f32, original_context = 8192, low_freq_factor = 1.0 : f32, high_freq_factor = 4.0 : f32>} : tensor<?x16xf32>
  // CHECK: umber.kv_update %{{.*}}[1], %{{.*}}, %{{.*}} at %{{.*}} : <2x1x16xi8>, tensor<?x16xf32>
  %kv1 = umber.kv_update %kv[1], %k1, %k at %pos : !umber.kv_cache<2x1x16xi8>, tensor<?x16xf32>
  // CHECK: umber.attention %{{.*}}, %{{.*}}[1] at %{{.*}} {heads = 2 : i64, kv_heads = 1 : i64, scale = 2.500000e-01 : f32, soft_cap = 5.000000e+01 : f32, window = 7 : i64} : tensor<?x32xf32>, <2x1x16xi8>
  %a = umber.attention %q2, %kv1[1] at %pos {heads = 2, kv_heads = 1, scale = 0.25 : f32, window = 7 : i64, soft_cap = 50.0 : f32} : tensor<?x32xf32>, !umber.kv_cache<2x1x16xi8>
  // CHECK: umber.gated_activation %{{.*}}, %{{.*}} {function = #umber.activation<gelu_tanh>} : tensor<?x32xf32>
  %g = umber.gated_activation %a, %hh {function = #umber.activation<gelu_tanh>} : tensor<?x32xf32>
  // CHECK: umber.check %{{.*}}, %{{.*}} {atol = 1.000000e+00 : f32} : tensor<?x32xf32>
  umber.check %g, %g {atol = 1.0 : f32} : tensor<?x32xf32>
  // CHECK: %[[K:.*]]:2 = umber.kernel @k (%[[A:.*]] = %{{.*}} : tensor<?x32xf32>, %[[B:.*]] = %{{.*}} : tensor<?x32xf32>) -> (tensor<?x32xf32>, tensor<?x32xf32>) {
  %r:2 = umber.kernel @k (%u = %g : tensor<?x32xf32>, %v = %x : tensor<?x32xf32>) -> (tensor<?x32xf32>, tensor<?x32xf32>) {
    // CHECK: %[[S:.*]] = arith.addf %[[A]], %[[B]]
    %s = arith.addf %u, %v : tensor<?x32xf32>
    // CHECK: umber.yield %[[S]], %[[A]] : tensor<?x32xf32>, tensor<?x32xf32>
    umber.yield %s, %u : tensor<?x32xf32>, tensor<?x32xf32>
  }
  %t = arith.addf %r#0, %r#1 : tensor<?x32xf32>
  return %t, %kv1 : tensor<?x32xf32>, !umber.kv_cache<2x1x16xi8>
}
}
