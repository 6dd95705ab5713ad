// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: umber-opt %s --umber-cpu-lower-to-loops | FileCheck %s

// Siblings ask together whether adapters are active at any of their sites; products
// with A come before theirs, those with B behind a barrier after them, in place.

umber.param @l0.q : tensor<64x16xf32>
umber.param @l0.k : tensor<32x16xf32>

// CHECK-LABEL: func.func @decode_q_k_0
// CHECK-SAME: %[[ARGS:[a-z0-9]+]]: memref<{{[0-9]+}}xi64>
// CHECK-SAME: %[[QSITE:[a-z0-9]+]]: memref<1xi64>, %[[KSITE:[a-z0-9]+]]: memref<1xi64>)
// CHECK: %[[COUNT:.*]] = memref.load %[[QSITE]]
// CHECK: %[[COUNT2:.*]] = memref.load %[[KSITE]]
// CHECK: %[[ANY:.*]] = arith.ori %[[COUNT]], %[[COUNT2]] : i64
// CHECK: %[[ACTIVE:.*]] = arith.cmpi ne, %[[ANY]]
// CHECK: scf.if %[[ACTIVE]] {
// CHECK: call @umber_uk_low_rank_inputs(%[[ARGS]], %[[QSITE]]
// CHECK: call @umber_uk_low_rank_inputs(%[[ARGS]], %[[KSITE]]
// CHECK: call @umber_uk_linear_f32
// CHECK: call @umber_uk_linear_f32
// CHECK: arith.cmpi ne
// CHECK: scf.if
// CHECK-NEXT: call @umber_uk_low_rank_barrier
// CHECK: call @umber_uk_low_rank_outputs(%[[ARGS]], %[[QSITE]]
// CHECK: call @umber_uk_low_rank_outputs(%[[ARGS]], %[[KSITE]]
// CHECK-NOT: umber_uk_low_rank
// CHECK: return
func.func @decode(%x: tensor<1x16xf32>, %ad: !umber.adapters) -> (tensor<1x64xf32>, tensor<1x32xf32>) attributes {umber.max_tokens = 1 : i64} {
  %0:2 = umber.kernel @l0.q_k (%a = %x : tensor<1x16xf32>, %b = %ad : !umber.adapters) -> (tensor<1x64xf32>, tensor<1x32xf32>) {
    %q = umber.linear %a, @l0.q : tensor<1x16xf32> -> tensor<1x64xf32>
    %k = umber.linear %a, @l0.k : tensor<1x16xf32> -> tensor<1x32xf32>
    %q1 = umber.lora %q, %a, %b[@l0.q] : tensor<1x64xf32>, tensor<1x16xf32>
    %k1 = umber.lora %k, %a, %b[@l0.k] : tensor<1x32xf32>, tensor<1x16xf32>
    umber.yield %q1, %k1 : tensor<1x64xf32>, tensor<1x32xf32>
  }
  return %0#0, %0#1 : tensor<1x64xf32>, tensor<1x32xf32>
}
