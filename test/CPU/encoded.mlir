// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: umber-opt %s --umber-cpu-lower-to-loops | FileCheck %s

// Parameters are bytes, quantized rows words: 64 bytes for 36 values, 9 scales and 9
// sums, and what is missing to whole cache lines. Every worker quantizes a single row for itself, so that
// no barrier is needed, and multiplies a range of panels with it at once. Kernels whose weights have other
// encodings are other code.

umber.param @l0.w : tensor<40x36xf16, #umber.palette<bits = 4, rows = 16>>
umber.param @l1.w : tensor<40x36xf16, #umber.palette<bits = 2, rows = 16>>
umber.param @l2.w : tensor<40x36xf16, #umber.palette<bits = 2, rows = 16>>
umber.param @e : tensor<40x36xf16, #umber.quantized<bits = 8>>

// CHECK-DAG: memref.global "private" constant @[[E8:.*]] : memref<6xi64> = dense<[36, 8, 0, 36, 1, 36]>
// CHECK-DAG: memref.global "private" constant @[[E4:.*]] : memref<6xi64> = dense<[36, 4, 16, 36, 16, 36]>
// CHECK-DAG: memref.global "private" constant @[[E2:.*]] : memref<6xi64> = dense<[36, 2, 16, 36, 16, 36]>

// CHECK: func.func @decode_e_0({{.*}}, %{{.*}}: memref<2432xi8>)
// CHECK: memref.get_global @[[E8]]
// CHECK: func.call @umber_uk_embed_encoded
// CHECK: func.func @decode_w_1({{.*}}, %{{.*}}: memref<36xf32>, %{{.*}}: memref<48xf32>, %{{.*}}: memref<40xf32>, %{{.*}}: memref<1224xi8>)
// CHECK: func.call @umber_uk_quantize
// CHECK-NOT: umber_uk_barrier
// CHECK: memref.get_global @[[E4]]
// CHECK: call @umber_uk_linear_encoded_few
// CHECK: func.func @decode_w_2({{.*}}: memref<600xi8>)
// CHECK: memref.get_global @[[E2]]
// CHECK: func.call @umber_uk_linear_encoded_f32
// CHECK-NOT: func.func @decode
func.func @decode(%ids: tensor<1xi32>) -> (tensor<1x40xf32>, tensor<1x40xf32>, tensor<1x40xf32>) attributes {umber.max_tokens = 1 : i64} {
  %0 = umber.kernel @e (%a = %ids : tensor<1xi32>) -> tensor<1x36xf32> {
    %y = umber.embed @e[%a] : tensor<1xi32> -> tensor<1x36xf32>
    umber.yield %y : tensor<1x36xf32>
  }
  %1 = umber.kernel @l0.w (%a = %0 : tensor<1x36xf32>) -> tensor<1x40xf32> {
    %q = umber.quantize %a : tensor<1x36xf32> -> tensor<1x36xf32, #umber.quantized<bits = 8, group = 4>>
    %y = umber.linear %q, @l0.w : tensor<1x36xf32, #umber.quantized<bits = 8, group = 4>> -> tensor<1x40xf32>
    umber.yield %y : tensor<1x40xf32>
  }
  %2 = umber.kernel @l1.w (%a = %0 : tensor<1x36xf32>) -> tensor<1x40xf32> {
    %y = umber.linear %a, @l1.w : tensor<1x36xf32> -> tensor<1x40xf32>
    umber.yield %y : tensor<1x40xf32>
  }
  %3 = umber.kernel @l2.w (%a = %0 : tensor<1x36xf32>) -> tensor<1x40xf32> {
    %y = umber.linear %a, @l2.w : tensor<1x36xf32> -> tensor<1x40xf32>
    umber.yield %y : tensor<1x40xf32>
  }
  return %1, %2, %3 : tensor<1x40xf32>, tensor<1x40xf32>, tensor<1x40xf32>
}

// Of many rows, a few may be wanted alone.
// CHECK: func.func @prefill_w
// CHECK: scf.if
// CHECK: func.call @umber_uk_linear_encoded_few
// CHECK: else
// CHECK: scf.for
// CHECK: func.call @umber_uk_linear_encoded_i8
func.func @prefill(%x: tensor<?x36xf32>) -> tensor<?x40xf32> attributes {umber.max_tokens = 16 : i64} {
  %0 = umber.kernel @l0.w (%a = %x : tensor<?x36xf32>) -> tensor<?x40xf32> {
    %q = umber.quantize %a : tensor<?x36xf32> -> tensor<?x36xf32, #umber.quantized<bits = 8, group = 4>>
    %y = umber.linear %q, @l0.w : tensor<?x36xf32, #umber.quantized<bits = 8, group = 4>> -> tensor<?x40xf32>
    umber.yield %y : tensor<?x40xf32>
  }
  return %0 : tensor<?x40xf32>
}
