// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What types, attributes and ops refuse, and the sentences they say it in.

// RUN: umber-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{expected layers x kv_heads x head_dim x type, found 2 sizes}}
func.func private @f(!umber.kv_cache<2x4xf32>)

// -----

// expected-error @+1 {{expected positive sizes, found 0 x 1 x 4}}
func.func private @f(!umber.kv_cache<0x1x4xf32>)

// -----

// expected-error @+1 {{expected an element type of f32, f16, bf16, i8 or i4, found 'i32'}}
func.func private @f(!umber.kv_cache<2x1x4xi32>)

// -----

// expected-error @+1 {{expected 1, 2, 3, 4, 6 or 8 bits, found 5}}
umber.param @w : tensor<16x8xf16, #umber.palette<bits = 5, rows = 16>>

// -----

// expected-error @+1 {{expected a positive number of rows per table, found 0}}
umber.param @w : tensor<16x8xf16, #umber.palette<bits = 4, rows = 0>>

// -----

// expected-error @+1 {{expected no scale_cols with a scale per table, found 4}}
umber.param @w : tensor<16x8xf16, #umber.palette<bits = 4, rows = 16, scale_cols = 4>>

// -----

// expected-error @+1 {{expected a number of columns that cols = 3 divides, found 8}}
umber.param @w : tensor<16x8xf16, #umber.palette<bits = 4, rows = 16, cols = 3>>

// -----

// expected-error @+1 {{expected a tensor of rank 2, found rank 1}}
umber.param @w : tensor<16xf16, #umber.palette<bits = 4, rows = 16>>

// -----

// expected-error @+1 {{expected floating-point elements, found 'i8'}}
umber.param @w : tensor<16x8xi8, #umber.palette<bits = 4, rows = 16>>

// -----

// expected-error @+1 {{expected a static shape for a palettized matrix}}
func.func private @f(tensor<?x8xf16, #umber.palette<bits = 4, rows = 16>>)

// -----

// expected-error @+1 {{expected 2 to 8 bits, found 1}}
umber.param @w : tensor<16x8xf16, #umber.quantized<bits = 1>>

// -----

// expected-error @+1 {{expected a number of columns that group = 3 divides, found 8}}
umber.param @w : tensor<16x8xf16, #umber.quantized<bits = 8, group = 3>>

// -----

// expected-error @+1 {{expected positive layers, context and vocab, found 0, 64 and 9}}
module attributes {umber.model = #umber.model<arch = "llama", layers = 0, context_length = 64, vocab = 9>} {}

// -----

// expected-error @+1 {{expected the name of an architecture, found none}}
module attributes {umber.model = #umber.model<arch = "", layers = 1, context_length = 64, vocab = 9>} {}

// -----

// expected-error @+1 {{'umber.param' op expected a static shape, found 'tensor<?x8xf32>'}}
umber.param @w : tensor<?x8xf32>

// -----

// expected-error @+1 {{'umber.param' op expected floating-point elements, found 'tensor<4xi32>'}}
umber.param @w : tensor<4xi32>

// -----

// expected-error @+1 {{'umber.param' op expected a source or a value, found both}}
umber.param @w from "x" : tensor<2xf32> = dense<0.0> : tensor<2xf32>

// -----

// expected-error @+1 {{'umber.param' op expected a value of the parameter's type 'tensor<2xf32>', found 'tensor<3xf32>'}}
umber.param @w : tensor<2xf32> = dense<0.0> : tensor<3xf32>

// -----

// expected-error @+1 {{expected two parameters, found @a twice}}
umber.param @w : tensor<4x8xf32> {recover = #umber.low_rank<@a, @a>}

// -----

// expected-error @+1 {{'umber.param' op expected a matrix to recover, found 'tensor<4xf32>'}}
umber.param @w : tensor<4xf32> {recover = #umber.low_rank<@a, @b>}

// -----

// expected-error @+1 {{'umber.param' op expected @a to name an umber.param}}
umber.param @w : tensor<4x8xf32> {recover = #umber.low_rank<@a, @b>}

// -----

// expected-note @+1 {{declared here}}
umber.param @a : tensor<2x7xf16>
umber.param @b : tensor<2x4xf16>
// expected-error @+1 {{'umber.param' op expected @a to be an f16 matrix of 8 columns, plain or in rows of 8 bits, found 'tensor<2x7xf16>'}}
umber.param @w : tensor<4x8xf32> {recover = #umber.low_rank<@a, @b>}

// -----

umber.param @a : tensor<2x8xf16>
// expected-note @+1 {{declared here}}
umber.param @b : tensor<2x4xf16, #umber.quantized<bits = 8, group = 2>>
// expected-error @+1 {{'umber.param' op expected @b to be an f16 matrix of 4 columns, plain or in rows of 8 bits, found}}
umber.param @w : tensor<4x8xf32> {recover = #umber.low_rank<@a, @b>}

// -----

umber.param @a : tensor<2x8xf16>
umber.param @b : tensor<3x4xf16>
// expected-error @+1 {{'umber.param' op expected @b with as many rows as @a and stored alike, as 'tensor<2x8xf16>', found 'tensor<3x4xf16>'}}
umber.param @w : tensor<4x8xf32> {recover = #umber.low_rank<@a, @b>}

// -----

umber.param @a : tensor<2x8xf16>
umber.param @b : tensor<2x4xf16, #umber.quantized<bits = 8>>
// expected-error @+1 {{'umber.param' op expected @b with as many rows as @a and stored alike}}
umber.param @w : tensor<4x8xf32> {recover = #umber.low_rank<@a, @b>}

// -----

func.func @f(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{'umber.linear' op expected @w to name an umber.param}}
  %y = umber.linear %x, @w : tensor<2x8xf32> -> tensor<2x4xf32>
  return
}

// -----

// expected-note @+1 {{declared here}}
umber.param @w : tensor<4x8xf32>
func.func @f(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{'umber.linear' op expected @w of shape (5, 8), found 'tensor<4x8xf32>'}}
  %y = umber.linear %x, @w : tensor<2x8xf32> -> tensor<2x5xf32>
  return
}

// -----

umber.param @w : tensor<4x8xf32>
func.func @f(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{'umber.linear' op expected as many result rows as operand rows, found 'tensor<3x4xf32>' from 'tensor<2x8xf32>'}}
  %y = umber.linear %x, @w : tensor<2x8xf32> -> tensor<3x4xf32>
  return
}

// -----

umber.param @w : tensor<4x8xf32>
func.func @f(%i: tensor<2xi32>) {
  // expected-error @+1 {{'umber.embed' op expected a table with rows of 9, found 'tensor<4x8xf32>'}}
  %y = umber.embed @w[%i] : tensor<2xi32> -> tensor<2x9xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{'umber.rms_norm' op expected a number of heads that divides the width 8, found 3}}
  %y = umber.rms_norm %x, @w {eps = 0.0 : f32, heads = 3 : i64} : tensor<2x8xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{'umber.rms_norm' op expected eps of at least 0, found -1.000000e+00}}
  %y = umber.rms_norm %x, @w {eps = -1.0 : f32} : tensor<2x8xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>, %p: index) {
  // expected-error @+1 {{'umber.rotary' op expected an even number of rotated dims, at most 4, found 6}}
  %y = umber.rotary %x at %p {heads = 2, style = #umber.rotary_style<half>, base = 10.0 : f32, dims = 6 : i64} : tensor<2x8xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>, %p: index) {
  // expected-error @+1 {{'umber.rotary' op expected a positive base, found 0.000000e+00}}
  %y = umber.rotary %x at %p {heads = 2, style = #umber.rotary_style<half>, base = 0.0 : f32} : tensor<2x8xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>, %k: tensor<2x4xf32>, %c: !umber.kv_cache<2x1x4xf32>, %p: index) {
  // expected-error @+1 {{'umber.kv_update' op expected a layer below 2, found 2}}
  %d = umber.kv_update %c[2], %k, %k at %p : !umber.kv_cache<2x1x4xf32>, tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>, %k: tensor<2x4xf32>, %c: !umber.kv_cache<2x1x4xf32>, %p: index) {
  // expected-error @+1 {{'umber.kv_update' op expected keys and values of 1 x 4 = 4 columns, found 'tensor<2x8xf32>'}}
  %d = umber.kv_update %c[0], %x, %x at %p : !umber.kv_cache<2x1x4xf32>, tensor<2x8xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>, %k: tensor<2x4xf32>, %c: !umber.kv_cache<2x1x4xf32>, %p: index) {
  // expected-error @+1 {{'umber.kv_update' op expected to be the last use of its cache}}
  %d = umber.kv_update %c[0], %k, %k at %p : !umber.kv_cache<2x1x4xf32>, tensor<2x4xf32>
  // expected-note @+1 {{used here too}}
  %e = umber.kv_update %c[1], %k, %k at %p : !umber.kv_cache<2x1x4xf32>, tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>, %k: tensor<2x4xf32>, %c: !umber.kv_cache<2x1x4xf32>, %p: index) {
  // expected-error @+1 {{'umber.kv_update' op expected to be the last use of its cache}}
  %d = umber.kv_update %c[0], %k, %k at %p : !umber.kv_cache<2x1x4xf32>, tensor<2x4xf32>
  // expected-note @+1 {{used here too}}
  %e = umber.attention %k, %c[0] at %p {heads = 1, kv_heads = 1, scale = 1.0 : f32} : tensor<2x4xf32>, !umber.kv_cache<2x1x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>, %k: tensor<2x4xf32>, %c: !umber.kv_cache<2x1x4xf32>, %p: index) {
  // expected-error @+1 {{'umber.attention' op expected kv_heads = 1 as the cache has, found 2}}
  %a = umber.attention %x, %c[0] at %p {heads = 2, kv_heads = 2, scale = 1.0 : f32} : tensor<2x8xf32>, !umber.kv_cache<2x1x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>, %k: tensor<2x4xf32>, %c: !umber.kv_cache<2x1x4xf32>, %p: index) {
  // expected-error @+1 {{'umber.attention' op expected queries of 3 x 4 columns, found 'tensor<2x8xf32>'}}
  %a = umber.attention %x, %c[0] at %p {heads = 3, kv_heads = 1, scale = 1.0 : f32} : tensor<2x8xf32>, !umber.kv_cache<2x1x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>, %k: tensor<2x4xf32>, %c: !umber.kv_cache<2x1x4xf32>, %p: index) {
  // expected-error @+1 {{'umber.attention' op expected a number of heads that is a multiple of kv_heads = 1, found 0}}
  %a = umber.attention %x, %c[0] at %p {heads = 0, kv_heads = 1, scale = 1.0 : f32} : tensor<2x8xf32>, !umber.kv_cache<2x1x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>, %k: tensor<2x4xf32>, %c: !umber.kv_cache<2x1x4xf32>, %p: index) {
  // expected-error @+1 {{'umber.attention' op expected a window of at least 0, found -1}}
  %a = umber.attention %x, %c[0] at %p {heads = 2, kv_heads = 1, scale = 1.0 : f32, window = -1 : i64} : tensor<2x8xf32>, !umber.kv_cache<2x1x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{'umber.quantize' op expected a #umber.quantized encoding, found 'tensor<2x8xf32>'}}
  %y = umber.quantize %x : tensor<2x8xf32> -> tensor<2x8xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{'umber.quantize' op expected equal shapes, found 'tensor<2x8xf32>' and 'tensor<2x4xf32, #umber.quantized<bits = 8>>'}}
  %y = umber.quantize %x : tensor<2x8xf32> -> tensor<2x4xf32, #umber.quantized<bits = 8>>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{'umber.observe' op expected a name, found none}}
  umber.observe %x as "" : tensor<2x8xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{'umber.check' op expected tolerances of at least 0}}
  umber.check %x, %x {atol = -1.0 : f32} : tensor<2x8xf32>
  return
}

// -----

func.func @f(%x: tensor<2x8xf32>) {
  // expected-error @+1 {{'umber.kernel' op expected to yield ('tensor<2x8xf32>'), found ()}}
  %y = umber.kernel @k (%a = %x : tensor<2x8xf32>) -> tensor<2x8xf32> {
    umber.yield
  }
  return
}

// -----

func.func @f(%x: tensor<8xf32>) {
  // expected-error @+1 {{'umber.linear' op operand #0 must be f32 tensor of rank 2 (tokens x features), but got 'tensor<8xf32>'}}
  %y = umber.linear %x, @w : tensor<8xf32> -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x?xf32>) {
  // expected-error @+1 {{'umber.linear' op operand #0 must be f32 tensor of rank 2 (tokens x features), but got 'tensor<2x?xf32>'}}
  %y = umber.linear %x, @w : tensor<2x?xf32> -> tensor<2x4xf32>
  return
}
