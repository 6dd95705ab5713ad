// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: umber-opt %s --umber-cpu-lower-to-loops --split-input-file --verify-diagnostics

func.func @decode(%x: tensor<1x32xf32, #umber.quantized<bits = 8>>) -> tensor<1x32xf32> attributes {umber.max_tokens = 1 : i64} {
  %0 = umber.kernel @k (%a = %x : tensor<1x32xf32, #umber.quantized<bits = 8>>) -> tensor<1x32xf32> {
    // expected-error @+1 {{expected plain operands for the cpu target, found 'tensor<1x32xf32, #umber.quantized<bits = 8>>'}}
    %y = umber.dequantize %a : tensor<1x32xf32, #umber.quantized<bits = 8>> -> tensor<1x32xf32>
    umber.yield %y : tensor<1x32xf32>
  }
  return %0 : tensor<1x32xf32>
}

// -----

func.func @decode(%x: tensor<1x32xf32, #umber.palette<bits = 4, rows = 16>>) -> tensor<1x32xf32, #umber.palette<bits = 4, rows = 16>> attributes {umber.max_tokens = 1 : i64} {
  // expected-error @+1 {{expected activations that are plain or quantized for the cpu target, found 'tensor<1x32xf32, #umber.palette<bits = 4, rows = 16>>'}}
  %0 = umber.kernel @k (%a = %x : tensor<1x32xf32, #umber.palette<bits = 4, rows = 16>>) -> tensor<1x32xf32, #umber.palette<bits = 4, rows = 16>> {
    %y = arith.negf %a : tensor<1x32xf32, #umber.palette<bits = 4, rows = 16>>
    umber.yield %y : tensor<1x32xf32, #umber.palette<bits = 4, rows = 16>>
  }
  return %0 : tensor<1x32xf32, #umber.palette<bits = 4, rows = 16>>
}

// -----

func.func @decode(%x: tensor<1x262144xf32>) -> tensor<1x262144xf32, #umber.quantized<bits = 8>> attributes {umber.max_tokens = 1 : i64} {
  %0 = umber.kernel @k (%a = %x : tensor<1x262144xf32>) -> tensor<1x262144xf32, #umber.quantized<bits = 8>> {
    // expected-error @+1 {{expected groups of at most 131072 columns for the cpu target, found 262144}}
    %y = umber.quantize %a : tensor<1x262144xf32> -> tensor<1x262144xf32, #umber.quantized<bits = 8>>
    umber.yield %y : tensor<1x262144xf32, #umber.quantized<bits = 8>>
  }
  return %0 : tensor<1x262144xf32, #umber.quantized<bits = 8>>
}

// -----

func.func @decode(%x: tensor<1x32xf32>, %ad: !umber.adapters) -> tensor<1x32xf32> attributes {umber.max_tokens = 1 : i64} {
  %0 = umber.kernel @k (%a = %x : tensor<1x32xf32>, %b = %ad : !umber.adapters) -> tensor<1x32xf32> {
    // expected-error @+1 {{expected a site that is a parameter, found @w}}
    %y = umber.lora %a, %a, %b[@w] : tensor<1x32xf32>, tensor<1x32xf32>
    umber.yield %y : tensor<1x32xf32>
  }
  return %0 : tensor<1x32xf32>
}

// -----

umber.param @w : tensor<32x32xf32>
func.func @decode(%x: tensor<1x32xf32>, %ad: !umber.adapters) -> tensor<1x32xf32> attributes {umber.max_tokens = 1 : i64} {
  %0 = umber.kernel @k (%a = %x : tensor<1x32xf32>, %b = %ad : !umber.adapters) -> tensor<1x32xf32> {
    // expected-error @+1 {{expected a product's result that nothing else uses}}
    %y = umber.lora %a, %a, %b[@w] : tensor<1x32xf32>, tensor<1x32xf32>
    umber.yield %y : tensor<1x32xf32>
  }
  return %0 : tensor<1x32xf32>
}

// -----

func.func @decode(%q: tensor<1x4xf32>, %kv: !umber.kv_cache<1x1x4xbf16>, %pos: index) -> tensor<1x4xf32> attributes {umber.max_tokens = 1 : i64} {
  // expected-error @+1 {{expected buffers of f32 or f16, or a cache of i8 or i4, for the cpu target, found 'bf16'}}
  %0 = umber.kernel @k (%a = %q : tensor<1x4xf32>, %c = %kv : !umber.kv_cache<1x1x4xbf16>, %p = %pos : index) -> tensor<1x4xf32> {
    %y = umber.attention %a, %c[0] at %p {heads = 1, kv_heads = 1, scale = 1.0 : f32} : tensor<1x4xf32>, !umber.kv_cache<1x1x4xbf16>
    umber.yield %y : tensor<1x4xf32>
  }
  return %0 : tensor<1x4xf32>
}
