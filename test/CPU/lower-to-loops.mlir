// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: umber-opt %s --umber-cpu-lower-to-loops | FileCheck %s

// Two kernels that differ only in their parameters are one function. Its panels are
// split over the workers, and what is added to the product needs no barrier, for
// each worker adds to the columns it has made.

umber.param @l0.w : tensor<64x32xf16>
umber.param @l1.w : tensor<64x32xf16>

// CHECK: func.func private @umber_uk_linear_f16
// CHECK: func.func @decode_w_0(%{{.*}}: memref<12xi64>, %{{.*}}: memref<1xf32>, %[[X:.*]]: memref<32xf32>, %[[R:.*]]: memref<64xf32>, %{{.*}}: memref<64xf32>, %[[Y:.*]]: memref<64xf32>, %[[W:.*]]: memref<2048xf16>)
// CHECK: scf.for
// CHECK: func.call @umber_uk_linear_f16
// CHECK-NOT: umber_uk_barrier
// CHECK: arith.addf %{{.*}}, %{{.*}} : vector<16xf32>
// CHECK: vector.store %{{.*}}, %[[Y]]
// CHECK: return
// CHECK-NOT: func.func @decode_w
func.func @decode(%x: tensor<1x32xf32>, %r: tensor<1x64xf32>) -> (tensor<1x64xf32>, tensor<1x64xf32>) attributes {umber.max_tokens = 1 : i64} {
  %0 = umber.kernel @l0.w (%a = %x : tensor<1x32xf32>, %b = %r : tensor<1x64xf32>) -> tensor<1x64xf32> {
    %y = umber.linear %a, @l0.w : tensor<1x32xf32> -> tensor<1x64xf32>
    %s = arith.addf %b, %y : tensor<1x64xf32>
    umber.yield %s : tensor<1x64xf32>
  }
  %1 = umber.kernel @l1.w (%a = %x : tensor<1x32xf32>, %b = %0 : tensor<1x64xf32>) -> tensor<1x64xf32> {
    %y = umber.linear %a, @l1.w : tensor<1x32xf32> -> tensor<1x64xf32>
    %s = arith.addf %b, %y : tensor<1x64xf32>
    umber.yield %s : tensor<1x64xf32>
  }
  return %1, %0 : tensor<1x64xf32>, tensor<1x64xf32>
}
