// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: umber-opt %s --umber-specialize=tokens=1,16 --split-input-file --verify-diagnostics | FileCheck %s

umber.param @embed : tensor<9x4xf32>

// CHECK-LABEL: func.func @decode(%{{.*}}: tensor<1xi32>, %{{.*}}: index) -> tensor<?x9xf32>
// CHECK-SAME: attributes {umber.max_tokens = 1 : i64}
// CHECK: umber.embed @embed[%{{.*}}] : tensor<1xi32> -> tensor<1x4xf32>
// CHECK: tensor.extract_slice %{{.*}} : tensor<1x4xf32> to tensor<?x4xf32>
// CHECK-LABEL: func.func @prefill(%{{.*}}: tensor<?xi32>, %{{.*}}: index) -> tensor<?x9xf32>
// CHECK-SAME: attributes {umber.max_tokens = 16 : i64}
// CHECK: umber.embed @embed[%{{.*}}] : tensor<?xi32> -> tensor<?x4xf32>
// CHECK-NOT: @step
func.func @step(%ids: tensor<?xi32>, %outputs: index) -> tensor<?x9xf32> {
  %x = umber.embed @embed[%ids] : tensor<?xi32> -> tensor<?x4xf32>
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x4xf32>
  %s = arith.subi %t, %outputs : index
  %last = tensor.extract_slice %x[%s, 0] [%outputs, 4] [1, 1] : tensor<?x4xf32> to tensor<?x4xf32>
  %y = umber.linear %last, @embed : tensor<?x4xf32> -> tensor<?x9xf32>
  return %y : tensor<?x9xf32>
}

// -----

// expected-error @+1 {{expected a function 'step' of one block}}
module {
}
