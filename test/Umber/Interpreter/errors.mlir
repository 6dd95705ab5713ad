// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What cannot be evaluated is one error that names the place and the reason.

// RUN: split-file %s %t
// RUN: not umber-interp %t/missing.mlir 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not umber-interp %t 2>&1 | FileCheck %s --check-prefix=DIRECTORY
// RUN: not umber-interp %t/empty.mlir 2>&1 | FileCheck %s --check-prefix=EMPTY
// RUN: not umber-interp %t/syntax.mlir 2>&1 | FileCheck %s --check-prefix=SYNTAX
// RUN: not umber-interp - < %t/syntax.mlir 2>&1 | FileCheck %s --check-prefix=STDIN
// RUN: not umber-interp %t/shapes.json --prompt-ids=1 2>&1 | FileCheck %s --check-prefix=SHAPE-ONLY
// RUN: not umber-interp %t/bad.gguf 2>&1 | FileCheck %s --check-prefix=GGUF
// RUN: not umber-interp %t/shapes.mlir --parameters=%t/bad.gguf 2>&1 | FileCheck %s --check-prefix=GGUF
// RUN: not umber-interp %t/shapes.mlir --parameters=%t/none.gguf 2>&1 | FileCheck %s --check-prefix=NO-FILE
// RUN: not umber-interp %t/unknown.mlir 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not umber-interp %t/blocks.mlir 2>&1 | FileCheck %s --check-prefix=BLOCKS
// RUN: not umber-interp %t/recursion.mlir 2>&1 | FileCheck %s --check-prefix=RECURSION
// RUN: not umber-interp %t/declared.mlir 2>&1 | FileCheck %s --check-prefix=DECLARED
// RUN: not umber-interp %t/slice.mlir 2>&1 | FileCheck %s --check-prefix=SLICE
// RUN: not umber-interp %t/overflow.mlir 2>&1 | FileCheck %s --check-prefix=OVERFLOW
// RUN: not umber-interp %t/huge.mlir 2>&1 | FileCheck %s --check-prefix=HUGE
// RUN: not umber-interp %t/negative.mlir 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not umber-interp %t/double.mlir 2>&1 | FileCheck %s --check-prefix=DOUBLE
// RUN: not umber-interp %t/shapes.mlir 2>&1 | FileCheck %s --check-prefix=SHAPES
// RUN: not umber-interp %t/cast.mlir 2>&1 | FileCheck %s --check-prefix=CAST
// RUN: not umber-interp %t/extract.mlir 2>&1 | FileCheck %s --check-prefix=EXTRACT
// RUN: not umber-interp %t/zero.mlir 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not umber-interp %t/position.mlir 2>&1 | FileCheck %s --check-prefix=POSITION
// RUN: not umber-interp %t/gap.mlir 2>&1 | FileCheck %s --check-prefix=GAP
// RUN: not umber-interp %t/unwritten.mlir 2>&1 | FileCheck %s --check-prefix=UNWRITTEN
// RUN: not umber-interp %t/stale.mlir 2>&1 | FileCheck %s --check-prefix=STALE
// RUN: not umber-interp %t/infinite.mlir 2>&1 | FileCheck %s --check-prefix=INFINITE
// RUN: not umber-interp %t/scale.mlir 2>&1 | FileCheck %s --check-prefix=SCALE
// RUN: not umber-interp %t/nan.mlir 2>&1 | FileCheck %s --check-prefix=NAN
// RUN: not umber-interp %t/parameters.mlir 2>&1 | FileCheck %s --check-prefix=PARAMETERS
// RUN: not umber-interp %t/double-parameter.mlir 2>&1 | FileCheck %s --check-prefix=DOUBLE-PARAMETER
// RUN: not umber-interp %t/observe.mlir 2>&1 | FileCheck %s --check-prefix=OBSERVE
// RUN: not umber-interp %t/empty.mlir --prompt-ids=1 2>&1 | FileCheck %s --check-prefix=STEP
// RUN: not umber-interp %t/signature.mlir --prompt-ids=1 2>&1 | FileCheck %s --check-prefix=SIGNATURE
// RUN: not umber-interp %t/unknown.mlir 2>&1 | count 1

// MISSING: {{^}}umber-interp: error: {{.*}}missing.mlir: No such file or directory{{$}}
// DIRECTORY: {{^}}umber-interp: error: {{.*}}: {{[Ii]}}s a directory{{$}}

//--- empty.mlir
// EMPTY: umber-interp: error: {{.*}}empty.mlir:{{.*}} expected a public function, found none
// STEP: expected a function named 'step', 'prefill' or 'decode'
module {}

//--- syntax.mlir
// SYNTAX: umber-interp: error: {{.*}}syntax.mlir: line 2, column 16: expected '('
func.func @main

// STDIN: umber-interp: error: <stdin>:2:16: expected '('

//--- bad.gguf
GGUF and no more
// GGUF: {{^}}umber-interp: error: {{.*}}bad.gguf: {{.+}}{{$}}
// NO-FILE: {{^}}umber-interp: error: {{.*}}none.gguf: No such file or directory{{$}}

//--- shapes.json
{"name": "tiny", "architecture": "llama", "layers": 1, "hidden": 8, "heads": 2,
 "kv_heads": 1, "head_dim": 4, "feed_forward": 16, "vocab": 10, "context_length": 32}

//--- shapes.txt
// SHAPE-ONLY: umber-interp: error: {{.*}}shapes.json: token_embd: 'umber.embed' op needs the elements of @embed, and there is no parameter file

//--- unknown.mlir
// UNKNOWN: {{^}}umber-interp: error: {{.*}}unknown.mlir:4:8: the interpreter does not know 'math.powf'{{$}}
func.func @main() {
  %x = arith.constant 1.0 : f32
  %y = math.powf %x, %x : f32
  return
}

//--- blocks.mlir
// BLOCKS: expected 'main' to have a body of one block, found 0
func.func private @main()

//--- recursion.mlir
// RECURSION: expected calls nested at most 256 deep
func.func @main() {
  call @main() : () -> ()
  return
}

//--- declared.mlir
// DECLARED: :4:3: expected 'elsewhere' to have a body of one block, found 0
func.func private @elsewhere()
func.func @main() {
  call @elsewhere() : () -> ()
  return
}

//--- slice.mlir
// SLICE: 'tensor.extract_slice' op expected a slice within dimension 0 of size 2, found offset 1, size 2, stride 1
func.func @main() {
  %c1 = arith.constant 1 : index
  %x = arith.constant dense<1.0> : tensor<2x3xf32>
  %y = tensor.extract_slice %x[%c1, 0] [2, 3] [1, 1] : tensor<2x3xf32> to tensor<2x3xf32>
  return
}

//--- overflow.mlir
// OVERFLOW: found offset 1, size 9223372036854775807, stride 9223372036854775807
func.func @main() {
  %c = arith.constant 9223372036854775807 : index
  %x = arith.constant dense<1.0> : tensor<2xf32>
  %y = tensor.extract_slice %x[1] [%c] [%c] : tensor<2xf32> to tensor<?xf32>
  return
}

//--- huge.mlir
// HUGE: 'tensor.empty' op expected sizes of at least 0 and at most 536870912 elements, found (9223372036854775807, 3)
func.func @main() {
  %c = arith.constant 9223372036854775807 : index
  %x = tensor.empty(%c) : tensor<?x3xf32>
  return
}

//--- negative.mlir
// NEGATIVE: 'tensor.splat' op expected sizes of at least 0 {{.*}} found (-1)
func.func @main() {
  %c = arith.constant -1 : index
  %f = arith.constant 0.0 : f32
  %x = tensor.splat %f[%c] : tensor<?xf32>
  return
}

//--- double.mlir
// DOUBLE: 'arith.constant' op expected a dense value of f32, f16, bf16, index or integer elements, found one of type 'tensor<1xf64>'
func.func @main() {
  %x = arith.constant dense<1.0> : tensor<1xf64>
  return
}

//--- shapes.mlir
// SHAPES: 'arith.addf' op expected operands of equal shapes, found 2xf32 and 3xf32
func.func @main() {
  %a = arith.constant dense<1.0> : tensor<2xf32>
  %b = arith.constant dense<1.0> : tensor<3xf32>
  %c = tensor.cast %a : tensor<2xf32> to tensor<?xf32>
  %d = tensor.cast %b : tensor<3xf32> to tensor<?xf32>
  %e = arith.addf %c, %d : tensor<?xf32>
  return
}

//--- cast.mlir
// CAST: 'tensor.cast' op expected a result of type 'tensor<3xf32>', found 2xf32
func.func @main() {
  %a = arith.constant dense<1.0> : tensor<2xf32>
  %c = tensor.cast %a : tensor<2xf32> to tensor<?xf32>
  %d = tensor.cast %c : tensor<?xf32> to tensor<3xf32>
  return
}

//--- extract.mlir
// EXTRACT: 'tensor.extract' op expected an index within dimension 0 of size 2, found -1
func.func @main() {
  %c = arith.constant -1 : index
  %a = arith.constant dense<1.0> : tensor<2xf32>
  %b = tensor.extract %a[%c] : tensor<2xf32>
  return
}

//--- zero.mlir
// ZERO: 'arith.divsi' op divides by zero
func.func @main() {
  %a = arith.constant 0 : index
  %b = arith.divsi %a, %a : index
  return
}

//--- position.mlir
// POSITION: 'umber.rotary' op expected a position from 0 to 2147483647, found -3
func.func @main() {
  %pos = arith.constant -3 : index
  %x = arith.constant dense<1.0> : tensor<1x2xf32>
  %y = umber.rotary %x at %pos {heads = 1 : i64, style = #umber.rotary_style<half>, base = 1.0e+04 : f32} : tensor<1x2xf32>
  return
}

//--- gap.mlir
// GAP: 'umber.kv_update' op expected a position of at most 0, the end of layer 0, found 1
func.func @main(%kv: !umber.kv_cache<1x1x2xf32>) {
  %pos = arith.constant 1 : index
  %x = arith.constant dense<1.0> : tensor<1x2xf32>
  %y = umber.kv_update %kv[0], %x, %x at %pos : !umber.kv_cache<1x1x2xf32>, tensor<1x2xf32>
  return
}

//--- unwritten.mlir
// UNWRITTEN: 'umber.attention' op expected a cache that holds positions up to 1 of layer 0, found 1 positions
func.func @main(%kv: !umber.kv_cache<1x1x2xf32>) {
  %pos = arith.constant 0 : index
  %x = arith.constant dense<1.0> : tensor<1x2xf32>
  %q = arith.constant dense<1.0> : tensor<2x2xf32>
  %y = umber.kv_update %kv[0], %x, %x at %pos : !umber.kv_cache<1x1x2xf32>, tensor<1x2xf32>
  %o = umber.attention %q, %y[0] at %pos {heads = 1 : i64, kv_heads = 1 : i64, scale = 1.0 : f32}
      : tensor<2x2xf32>, !umber.kv_cache<1x1x2xf32>
  return
}

//--- stale.mlir
// STALE: 'umber.attention' op expected a cache that nothing has consumed
func.func private @consume(%kv: !umber.kv_cache<1x1x2xf32>) {
  %pos = arith.constant 0 : index
  %x = arith.constant dense<1.0> : tensor<1x2xf32>
  %y = umber.kv_update %kv[0], %x, %x at %pos : !umber.kv_cache<1x1x2xf32>, tensor<1x2xf32>
  return
}
func.func @main(%kv: !umber.kv_cache<1x1x2xf32>) {
  %pos = arith.constant 0 : index
  %q = arith.constant dense<1.0> : tensor<1x2xf32>
  call @consume(%kv) : (!umber.kv_cache<1x1x2xf32>) -> ()
  %o = umber.attention %q, %kv[0] at %pos {heads = 1 : i64, kv_heads = 1 : i64, scale = 1.0 : f32}
      : tensor<1x2xf32>, !umber.kv_cache<1x1x2xf32>
  return
}

//--- infinite.mlir
// INFINITE: 'umber.quantize' op expected finite elements, found inf at [1, 0]
func.func @main() {
  %x = arith.constant dense<[[1.0, 2.0], [0x7F800000, 2.0]]> : tensor<2x2xf32>
  %q = umber.quantize %x : tensor<2x2xf32> -> tensor<2x2xf32, #umber.quantized<bits = 8>>
  return
}

//--- scale.mlir
// SCALE: 'umber.kv_update' op a key or value of magnitude 1e+20 has no finite f16 scale
func.func @main(%kv: !umber.kv_cache<1x1x2xi8>) {
  %pos = arith.constant 0 : index
  %x = arith.constant dense<1.0e+20> : tensor<1x2xf32>
  %y = umber.kv_update %kv[0], %x, %x at %pos : !umber.kv_cache<1x1x2xi8>, tensor<1x2xf32>
  return
}

//--- nan.mlir
// NAN: 'umber.kv_update' op a key or value of magnitude nan has no finite f16 scale
func.func @main(%kv: !umber.kv_cache<1x1x2xi8>) {
  %pos = arith.constant 0 : index
  %x = arith.constant dense<[[0x7FC00000, 1.0]]> : tensor<1x2xf32>
  %y = umber.kv_update %kv[0], %x, %x at %pos : !umber.kv_cache<1x1x2xi8>, tensor<1x2xf32>
  return
}

//--- parameters.mlir
// PARAMETERS: 'umber.rms_norm' op needs the elements of @w, and there is no parameter file
umber.param @w : tensor<2xf32>
func.func @main() {
  %x = arith.constant dense<1.0> : tensor<1x2xf32>
  %y = umber.rms_norm %x, @w {eps = 0.0 : f32} : tensor<1x2xf32>
  return
}

//--- double-parameter.mlir
// DOUBLE-PARAMETER: 'umber.rms_norm' op expected @w to have elements of f32, f16 or bf16, found 'tensor<2xf64>'
umber.param @w : tensor<2xf64> {value = dense<1.0> : tensor<2xf64>}
func.func @main() {
  %x = arith.constant dense<1.0> : tensor<1x2xf32>
  %y = umber.rms_norm %x, @w {eps = 0.0 : f32} : tensor<1x2xf32>
  return
}

//--- observe.mlir
// OBSERVE: 'umber.observe' op expected 2 columns as observed before under "a", found 1x3xf32
func.func @main() {
  %x = arith.constant dense<1.0> : tensor<1x2xf32>
  %y = arith.constant dense<1.0> : tensor<1x3xf32>
  umber.observe %x as "a" : tensor<1x2xf32>
  umber.observe %y as "a" : tensor<1x3xf32>
  return
}

//--- signature.mlir
// SIGNATURE: 'func.func' op expected (tensor<?xi32>, index, index, !umber.kv_cache[, !umber.adapters]) -> (tensor<?xVxf32>, !umber.kv_cache), found '(tensor<?xi32>) -> tensor<?x5xf32>'
func.func private @step(tensor<?xi32>) -> tensor<?x5xf32>
