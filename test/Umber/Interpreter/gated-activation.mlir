// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Gates: both functions, small and large. Written by generate.py.

// RUN: umber-interp %s | count 0

func.func @silu() {
  %gate = arith.constant dense<[[-1.4375e+00, -1.1875e+00, 1.875e+00, -2.4375e+00, 6.25e-01], [1.375e+00, -1.875e+00, -2.6875e+00, -1.375e+00, 9.375e-01], [-1.0e+02, -2.0e+01, 0.0e+00, 2.0e+01, 1.0e+02]]> : tensor<3x5xf32>
  %up = arith.constant dense<[[3.75e-01, -2.125e+00, -3.75e-01, 1.0e+00, -4.375e-01], [8.125e-01, 2.8125e+00, 1.125e+00, -6.25e-01, -1.875e+00], [-9.375e-01, 6.25e-02, 2.375e+00, 1.625e+00, -1.0625e+00]]> : tensor<3x5xf32>
  %y = umber.gated_activation %gate, %up {function = #umber.activation<silu>} : tensor<3x5xf32>
  %want_y = arith.constant dense<[[-1.0346377e-01, 5.897434e-01, -6.096345e-01, -1.9587132e-01, -1.7810485e-01], [8.917243e-01, -7.011786e-01, -1.9263831e-01, 1.7343324e-01, -1.2631541e+00], [3.488e-42, -2.576442e-09, 0.0e+00, 3.25e+01, -1.0625e+02]]> : tensor<3x5xf32>
  umber.check %y, %want_y {atol = 1.0e-06 : f32, rtol = 2.0e-06 : f32} : tensor<3x5xf32>
  return
}

func.func @gelu_tanh() {
  %gate = arith.constant dense<[[-1.4375e+00, -1.1875e+00, 1.875e+00, -2.4375e+00, 6.25e-01], [1.375e+00, -1.875e+00, -2.6875e+00, -1.375e+00, 9.375e-01], [-1.0e+02, -2.0e+01, 0.0e+00, 2.0e+01, 1.0e+02]]> : tensor<3x5xf32>
  %up = arith.constant dense<[[3.75e-01, -2.125e+00, -3.75e-01, 1.0e+00, -4.375e-01], [8.125e-01, 2.8125e+00, 1.125e+00, -6.25e-01, -1.875e+00], [-9.375e-01, 6.25e-02, 2.375e+00, 1.625e+00, -1.0625e+00]]> : tensor<3x5xf32>
  %y = umber.gated_activation %gate, %up {function = #umber.activation<gelu_tanh>} : tensor<3x5xf32>
  %want_y = arith.constant dense<[[-4.0670846e-02, 2.9699007e-01, -6.8174964e-01, -1.7609127e-02, -2.0069051e-01], [1.022522e+00, -1.6031522e-01, -1.03504555e-02, 7.281966e-02, -1.4512675e+00], [0.0e+00, -0.0e+00, 0.0e+00, 3.25e+01, -1.0625e+02]]> : tensor<3x5xf32>
  umber.check %y, %want_y {atol = 1.0e-06 : f32, rtol = 2.0e-06 : f32} : tensor<3x5xf32>
  return
}
