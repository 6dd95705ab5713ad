// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: umber-opt %s --umber-convert-weights=bits=16 | FileCheck %s --check-prefix=F16
// RUN: umber-opt %s --umber-convert-weights=bits=32 | FileCheck %s --check-prefix=F32
// RUN: not umber-opt %s --umber-convert-weights=bits=5 2>&1 | FileCheck %s --check-prefix=ERROR

// ERROR: error: expected 16 or 32 bits, found 5

// F16: umber.param @w : tensor<4x8xf16>
// F32: umber.param @w : tensor<4x8xf32>
umber.param @w : tensor<4x8xf32>
// Vectors and palettes stay as they are.
// F16: umber.param @norm : tensor<8xf32>
umber.param @norm : tensor<8xf32>
// F16: umber.param @p : tensor<16x8xf32, #umber.palette<bits = 4, rows = 16>>
umber.param @p : tensor<16x8xf32, #umber.palette<bits = 4, rows = 16>>
