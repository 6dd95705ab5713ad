// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What caches of narrow types give back: attention to one position is its value. Written by generate.py.

// RUN: umber-interp %s | count 0

func.func @f16(%kv: !umber.kv_cache<1x1x5xf16>) {
  %v = arith.constant dense<[[3.1593473e+00, 5.329474e+00, -7.6598754e+00, -4.138952e-01, 3.0411582e+00], [4.0564256e+00, 1.9613651e+00, 4.4913535e+00, 8.6987275e-01, 1.6538014e+00], [5.3621304e-01, -3.2215762e+00, -2.539887e+00, 1.1387527e+00, -1.7405856e+00], [0.0e+00, 0.0e+00, 0.0e+00, 0.0e+00, 0.0e+00], [1.27e+02, 5.0e-01, 1.5e+00, -2.5e+00, 3.5e+00], [5.0e-01, 1.5e+00, -2.5e+00, 7.0e+00, -7.0e+00]]> : tensor<6x5xf32>
  %c0 = arith.constant 0 : index
  %kv0 = umber.kv_update %kv[0], %v, %v at %c0 : !umber.kv_cache<1x1x5xf16>, tensor<6x5xf32>
  %y = umber.attention %v, %kv0[0] at %c0 {heads = 1 : i64, kv_heads = 1 : i64, scale = 1.0 : f32, window = 1 : i64} : tensor<6x5xf32>, !umber.kv_cache<1x1x5xf16>
  %want_y = arith.constant dense<[[3.1601562e+00, 5.328125e+00, -7.6601562e+00, -4.1381836e-01, 3.0410156e+00], [4.0546875e+00, 1.9609375e+00, 4.4921875e+00, 8.696289e-01, 1.6533203e+00], [5.361328e-01, -3.2207031e+00, -2.5390625e+00, 1.1386719e+00, -1.7402344e+00], [0.0e+00, 0.0e+00, 0.0e+00, 0.0e+00, 0.0e+00], [1.27e+02, 5.0e-01, 1.5e+00, -2.5e+00, 3.5e+00], [5.0e-01, 1.5e+00, -2.5e+00, 7.0e+00, -7.0e+00]]> : tensor<6x5xf32>
  umber.check %y, %want_y  : tensor<6x5xf32>
  return
}

func.func @bf16(%kv: !umber.kv_cache<1x1x5xbf16>) {
  %v = arith.constant dense<[[3.1593473e+00, 5.329474e+00, -7.6598754e+00, -4.138952e-01, 3.0411582e+00], [4.0564256e+00, 1.9613651e+00, 4.4913535e+00, 8.6987275e-01, 1.6538014e+00], [5.3621304e-01, -3.2215762e+00, -2.539887e+00, 1.1387527e+00, -1.7405856e+00], [0.0e+00, 0.0e+00, 0.0e+00, 0.0e+00, 0.0e+00], [1.27e+02, 5.0e-01, 1.5e+00, -2.5e+00, 3.5e+00], [5.0e-01, 1.5e+00, -2.5e+00, 7.0e+00, -7.0e+00]]> : tensor<6x5xf32>
  %c0 = arith.constant 0 : index
  %kv0 = umber.kv_update %kv[0], %v, %v at %c0 : !umber.kv_cache<1x1x5xbf16>, tensor<6x5xf32>
  %y = umber.attention %v, %kv0[0] at %c0 {heads = 1 : i64, kv_heads = 1 : i64, scale = 1.0 : f32, window = 1 : i64} : tensor<6x5xf32>, !umber.kv_cache<1x1x5xbf16>
  %want_y = arith.constant dense<[[3.15625e+00, 5.34375e+00, -7.65625e+00, -4.140625e-01, 3.046875e+00], [4.0625e+00, 1.9609375e+00, 4.5e+00, 8.7109375e-01, 1.65625e+00], [5.3515625e-01, -3.21875e+00, -2.546875e+00, 1.140625e+00, -1.7421875e+00], [0.0e+00, 0.0e+00, 0.0e+00, 0.0e+00, 0.0e+00], [1.27e+02, 5.0e-01, 1.5e+00, -2.5e+00, 3.5e+00], [5.0e-01, 1.5e+00, -2.5e+00, 7.0e+00, -7.0e+00]]> : tensor<6x5xf32>
  umber.check %y, %want_y  : tensor<6x5xf32>
  return
}

func.func @i8(%kv: !umber.kv_cache<1x1x5xi8>) {
  %v = arith.constant dense<[[3.1593473e+00, 5.329474e+00, -7.6598754e+00, -4.138952e-01, 3.0411582e+00], [4.0564256e+00, 1.9613651e+00, 4.4913535e+00, 8.6987275e-01, 1.6538014e+00], [5.3621304e-01, -3.2215762e+00, -2.539887e+00, 1.1387527e+00, -1.7405856e+00], [0.0e+00, 0.0e+00, 0.0e+00, 0.0e+00, 0.0e+00], [1.27e+02, 5.0e-01, 1.5e+00, -2.5e+00, 3.5e+00], [5.0e-01, 1.5e+00, -2.5e+00, 7.0e+00, -7.0e+00]]> : tensor<6x5xf32>
  %c0 = arith.constant 0 : index
  %kv0 = umber.kv_update %kv[0], %v, %v at %c0 : !umber.kv_cache<1x1x5xi8>, tensor<6x5xf32>
  %y = umber.attention %v, %kv0[0] at %c0 {heads = 1 : i64, kv_heads = 1 : i64, scale = 1.0 : f32, window = 1 : i64} : tensor<6x5xf32>, !umber.kv_cache<1x1x5xi8>
  %want_y = arith.constant dense<[[3.1357422e+00, 5.3066406e+00, -7.6584473e+00, -4.2211914e-01, 3.0151367e+00], [4.0675354e+00, 1.945343e+00, 4.491974e+00, 8.842468e-01, 1.662384e+00], [5.3256226e-01, -3.2207336e+00, -2.5360107e+00, 1.1412048e+00, -1.7498474e+00], [0.0e+00, 0.0e+00, 0.0e+00, 0.0e+00, 0.0e+00], [1.27e+02, 0.0e+00, 2.0e+00, -2.0e+00, 4.0e+00], [4.960327e-01, 1.4880981e+00, -2.4801636e+00, 6.9995728e+00, -6.9995728e+00]]> : tensor<6x5xf32>
  umber.check %y, %want_y  : tensor<6x5xf32>
  return
}

func.func @i4(%kv: !umber.kv_cache<1x1x5xi4>) {
  %v = arith.constant dense<[[3.1593473e+00, 5.329474e+00, -7.6598754e+00, -4.138952e-01, 3.0411582e+00], [4.0564256e+00, 1.9613651e+00, 4.4913535e+00, 8.6987275e-01, 1.6538014e+00], [5.3621304e-01, -3.2215762e+00, -2.539887e+00, 1.1387527e+00, -1.7405856e+00], [0.0e+00, 0.0e+00, 0.0e+00, 0.0e+00, 0.0e+00], [1.27e+02, 5.0e-01, 1.5e+00, -2.5e+00, 3.5e+00], [5.0e-01, 1.5e+00, -2.5e+00, 7.0e+00, -7.0e+00]]> : tensor<6x5xf32>
  %c0 = arith.constant 0 : index
  %kv0 = umber.kv_update %kv[0], %v, %v at %c0 : !umber.kv_cache<1x1x5xi4>, tensor<6x5xf32>
  %y = umber.attention %v, %kv0[0] at %c0 {heads = 1 : i64, kv_heads = 1 : i64, scale = 1.0 : f32, window = 1 : i64} : tensor<6x5xf32>, !umber.kv_cache<1x1x5xi4>
  %want_y = arith.constant dense<[[3.2841797e+00, 5.473633e+00, -7.663086e+00, -0.0e+00, 3.2841797e+00], [3.8496094e+00, 1.9248047e+00, 4.491211e+00, 6.4160156e-01, 1.9248047e+00], [4.6020508e-01, -3.2214355e+00, -2.7612305e+00, 9.2041016e-01, -1.8408203e+00], [0.0e+00, 0.0e+00, 0.0e+00, 0.0e+00, 0.0e+00], [1.26984375e+02, 0.0e+00, 0.0e+00, -0.0e+00, 0.0e+00], [0.0e+00, 2.0e+00, -2.0e+00, 7.0e+00, -7.0e+00]]> : tensor<6x5xf32>
  umber.check %y, %want_y  : tensor<6x5xf32>
  return
}
