// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// --probe writes one .npy file per tensor that an op gives, in order, kernels' ops
// included, under the op's name location or its name.

// RUN: rm -rf %t && umber-interp %s --probe %t | count 3
// RUN: ls %t | FileCheck %s --match-full-lines
// RUN: od -A n -c -N 10 %t/0000-00001-l0.x_y.npy | FileCheck %s --check-prefix=MAGIC
// RUN: tail -c +11 %t/0000-00001-l0.x_y.npy | head -c 118 | FileCheck %s --check-prefix=HEADER
// RUN: tail -c +129 %t/0000-00001-l0.x_y.npy | od -A n -t f4 | FileCheck %s --check-prefix=ELEMENTS
// RUN: touch %t.file && not umber-interp %s --probe %t.file/x 2>&1 | FileCheck %s --check-prefix=ERROR

//      CHECK:0000-00000-arith.constant.npy
// CHECK-NEXT:0000-00001-l0.x_y.npy
// CHECK-NEXT:0000-00002-umber.kernel.npy
//  CHECK-NOT:{{.}}
//   MAGIC:223 N U M P Y 001 \0 v \0
//   HEADER:{'descr': '<f4', 'fortran_order': False, 'shape': (1,2,), }
// ELEMENTS:3 -5
//    ERROR:umber-interp: error: {{.*}}probe.mlir: {{.*}}file/x

func.func @main() -> tensor<1x2xf32> {
  %x = arith.constant dense<[[1.5, -2.5]]> : tensor<1x2xf32>
  %y = umber.kernel @k (%a = %x : tensor<1x2xf32>) -> tensor<1x2xf32> {
    %0 = arith.addf %a, %a : tensor<1x2xf32> loc("l0.x/y"("model":1:1))
    umber.yield %0 : tensor<1x2xf32>
  }
  return %y : tensor<1x2xf32>
}
