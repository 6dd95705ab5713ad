// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: umber-opt %s --umber-cpu-lower-to-loops --canonicalize --cse | FileCheck %s

// Products of one input are split over the workers by the bytes of their weights: here two panels of 1042
// bytes and then four of 2112.

umber.param @narrow : tensor<64x64xf16, #umber.palette<bits = 4, rows = 32>>
umber.param @wide : tensor<128x64xf16, #umber.quantized<bits = 8>>

// CHECK-DAG: %[[ALL:.*]] = arith.constant 10532 : index
// CHECK-DAG: %[[BEFORE:.*]] = arith.constant 2084 : index
// CHECK-DAG: %[[NARROW:.*]] = arith.constant 1042 : index
// CHECK-DAG: %[[WIDE:.*]] = arith.constant 2112 : index
// CHECK: %[[PART:.*]] = arith.muli %{{.*}}, %[[ALL]]
// CHECK: %[[SHARE:.*]] = arith.divui %[[PART]]
// CHECK: %[[FIT:.*]] = arith.divui %{{.*}}, %[[NARROW]]
// CHECK: %[[FIRST:.*]] = arith.minsi %[[FIT]], %c2
// CHECK: arith.subi %[[SHARE]], %[[BEFORE]]
// CHECK: %[[MORE:.*]] = arith.divui %{{.*}}, %[[WIDE]]
// CHECK: %[[SECOND:.*]] = arith.minsi %[[MORE]], %c4
// CHECK: arith.addi %[[FIRST]], %[[SECOND]]
func.func @decode(%x: tensor<1x64xf32>) -> (tensor<1x64xf32>, tensor<1x128xf32>) attributes {umber.max_tokens = 1 : i64} {
  %0:2 = umber.kernel @k (%a = %x : tensor<1x64xf32>) -> (tensor<1x64xf32>, tensor<1x128xf32>) {
    %y = umber.linear %a, @narrow : tensor<1x64xf32> -> tensor<1x64xf32>
    %z = umber.linear %a, @wide : tensor<1x64xf32> -> tensor<1x128xf32>
    umber.yield %y, %z : tensor<1x64xf32>, tensor<1x128xf32>
  }
  return %0#0, %0#1 : tensor<1x64xf32>, tensor<1x128xf32>
}
