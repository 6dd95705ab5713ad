// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// RUN: umber-opt %s --umber-quantize-kv-cache=bits=16 | FileCheck %s --check-prefix=F16
// RUN: umber-opt %s --umber-quantize-kv-cache=bits=8 | FileCheck %s --check-prefix=I8
// RUN: umber-opt %s --umber-quantize-kv-cache=bits=4 | FileCheck %s --check-prefix=I4
// A width that was chosen before stays unless another is asked for.
// RUN: umber-opt %s --umber-quantize-kv-cache=bits=8 '--umber-quantize-kv-cache=bits=16 keep-chosen' | FileCheck %s --check-prefix=I8
// RUN: umber-opt %s '--umber-quantize-kv-cache=bits=4 keep-chosen' --umber-quantize-kv-cache=bits=16 | FileCheck %s --check-prefix=F16
// RUN: not umber-opt %s --umber-quantize-kv-cache=bits=3 2>&1 | FileCheck %s --check-prefix=ERROR

// ERROR: error: expected 4, 8, 16 or 32 bits, found 3

// F16: func.func @f(%{{.*}}: !umber.kv_cache<1x1x4xf16>, {{.*}}) -> !umber.kv_cache<1x1x4xf16>
// F16: umber.kv_update {{.*}} : <1x1x4xf16>, tensor<2x4xf32>
// I8: func.func @f(%{{.*}}: !umber.kv_cache<1x1x4xi8>, {{.*}}) -> !umber.kv_cache<1x1x4xi8>
// I4: func.func @f(%{{.*}}: !umber.kv_cache<1x1x4xi4>, {{.*}}) -> !umber.kv_cache<1x1x4xi4>
func.func @f(%kv: !umber.kv_cache<1x1x4xf32>, %k: tensor<2x4xf32>, %pos: index) -> !umber.kv_cache<1x1x4xf32> {
  %kv1 = umber.kv_update %kv[0], %k, %k at %pos : !umber.kv_cache<1x1x4xf32>, tensor<2x4xf32>
  return %kv1 : !umber.kv_cache<1x1x4xf32>
}
