// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: umber-opt %s --split-input-file --umber-attach-adapters --verify-diagnostics | FileCheck %s

// Siblings stay together, adapters read what was quantized, and products outside of
// layers are no sites.

umber.param @l0.q : tensor<8x4xf32>
umber.param @l0.k : tensor<6x4xf32>
umber.param @rotation : tensor<8x8xf32>
// CHECK-LABEL: func.func @step
// CHECK-SAME: (%[[X:.*]]: tensor<?x4xf32>, %[[AD:.*]]: !umber.adapters)
// CHECK-NEXT: %[[XQ:.*]] = umber.quantize %[[X]]
// CHECK-NEXT: %[[Q:.*]] = umber.linear %[[XQ]], @l0.q
// CHECK-NEXT: %[[K:.*]] = umber.linear %[[XQ]], @l0.k
// CHECK-NEXT: %[[Q1:.*]] = umber.lora %[[Q]], %[[X]], %[[AD]][@l0.q] : tensor<?x8xf32>, tensor<?x4xf32>
// CHECK-NEXT: %[[K1:.*]] = umber.lora %[[K]], %[[X]], %[[AD]][@l0.k] : tensor<?x6xf32>, tensor<?x4xf32>
// CHECK-NEXT: %[[R:.*]] = umber.linear %[[Q1]], @rotation
// CHECK-NEXT: return %[[R]], %[[K1]]
func.func @step(%x: tensor<?x4xf32>) -> (tensor<?x8xf32>, tensor<?x6xf32>) {
  %xq = umber.quantize %x : tensor<?x4xf32> -> tensor<?x4xf32, #umber.quantized<bits = 8>>
  %q = umber.linear %xq, @l0.q : tensor<?x4xf32, #umber.quantized<bits = 8>> -> tensor<?x8xf32>
  %k = umber.linear %xq, @l0.k : tensor<?x4xf32, #umber.quantized<bits = 8>> -> tensor<?x6xf32>
  %r = umber.linear %q, @rotation : tensor<?x8xf32> -> tensor<?x8xf32>
  return %r, %k : tensor<?x8xf32>, tensor<?x6xf32>
}

// -----

// A matrix of two products would be corrected twice.

umber.param @l0.w : tensor<4x4xf32>
// CHECK-LABEL: func.func @step
// CHECK-NOT: umber.lora
func.func @step(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // expected-remark @+1 {{no site of adapters: expected a matrix that one product uses}}
  %a = umber.linear %x, @l0.w : tensor<?x4xf32> -> tensor<?x4xf32>
  // expected-remark @+1 {{no site of adapters}}
  %b = umber.linear %a, @l0.w : tensor<?x4xf32> -> tensor<?x4xf32>
  return %b : tensor<?x4xf32>
}

// -----

// expected-error @+1 {{expected a function 'step'}}
module {
}

// -----

// They are attached once.

umber.param @l0.w : tensor<4x4xf32>
// CHECK-LABEL: func.func @step
// CHECK-SAME: (%{{.*}}: !umber.adapters, %{{.*}}: tensor<?x4xf32>)
// CHECK-NOT: umber.lora
func.func @step(%ad: !umber.adapters, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = umber.linear %x, @l0.w : tensor<?x4xf32> -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
