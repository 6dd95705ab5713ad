// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: umber-opt %s --umber-cpu-lower-to-loops --split-input-file --verify-diagnostics | FileCheck %s

// What follows from a slice of the last rows has a row for each of the step's outputs (word 4 of the
// arguments) and not for each of its tokens (word 1), in the next kernel too, which is other code than the
// same ops on all tokens.

umber.param @w : tensor<32x32xf32>

// CHECK: func.func @prefill_all_0(%[[ARGS:.*]]: memref<12xi64>, {{.*}})
// CHECK: memref.load %[[ARGS]]
// CHECK-NEXT: %[[TOKENS:.*]] = arith.index_cast
// CHECK: %[[COUNT:.*]] = arith.index_cast %[[TOKENS]] : index to i64
// CHECK: call @umber_uk_linear_f32({{.*}}, %[[COUNT]], %{{[^,]*}}, %{{[^,]*}})
// CHECK: func.func @prefill_last_1(
// CHECK: func.func @prefill_after_2(%[[ARGS:.*]]: memref<12xi64>, {{.*}})
// CHECK-COUNT-2: memref.load %[[ARGS]]
// CHECK-NEXT: %[[OUTPUTS:.*]] = arith.index_cast
// CHECK: %[[COUNT:.*]] = arith.index_cast %[[OUTPUTS]] : index to i64
// CHECK: call @umber_uk_linear_f32({{.*}}, %[[COUNT]], %{{[^,]*}}, %{{[^,]*}})
// CHECK-NOT: func.func @prefill
func.func @prefill(%x: tensor<?x32xf32>, %pos: index, %outputs: index) -> tensor<?x32xf32> attributes {umber.max_tokens = 8 : i64} {
  %0 = umber.kernel @all (%a = %x : tensor<?x32xf32>) -> tensor<?x32xf32> {
    %y = umber.linear %a, @w : tensor<?x32xf32> -> tensor<?x32xf32>
    umber.yield %y : tensor<?x32xf32>
  }
  %1 = umber.kernel @last (%a = %0 : tensor<?x32xf32>, %n = %outputs : index) -> tensor<?x32xf32> {
    %c0 = arith.constant 0 : index
    %dim = tensor.dim %a, %c0 : tensor<?x32xf32>
    %first = arith.subi %dim, %n : index
    %slice = tensor.extract_slice %a[%first, 0] [%n, 32] [1, 1] : tensor<?x32xf32> to tensor<?x32xf32>
    %y = umber.linear %slice, @w : tensor<?x32xf32> -> tensor<?x32xf32>
    umber.yield %y : tensor<?x32xf32>
  }
  %2 = umber.kernel @after (%a = %1 : tensor<?x32xf32>) -> tensor<?x32xf32> {
    %y = umber.linear %a, @w : tensor<?x32xf32> -> tensor<?x32xf32>
    umber.yield %y : tensor<?x32xf32>
  }
  return %2 : tensor<?x32xf32>
}

// -----

func.func @prefill(%x: tensor<?x32xf32>, %pos: index, %outputs: index) -> tensor<?x32xf32> attributes {umber.max_tokens = 8 : i64} {
  // expected-error @+1 {{expected results with a row for each token or for each output, found another number}}
  %0 = umber.kernel @k (%a = %x : tensor<?x32xf32>, %n = %pos : index) -> tensor<?x32xf32> {
    %c0 = arith.constant 0 : index
    %slice = tensor.extract_slice %a[%c0, 0] [%n, 32] [1, 1] : tensor<?x32xf32> to tensor<?x32xf32>
    %y = arith.negf %slice : tensor<?x32xf32>
    umber.yield %y : tensor<?x32xf32>
  }
  return %0 : tensor<?x32xf32>
}
