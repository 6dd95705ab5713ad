// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The scalar interpreter's functions, from their descriptions.

#ifndef UMBER_TEST_UNIT_NPU_SCALARMATH_H
#define UMBER_TEST_UNIT_NPU_SCALARMATH_H

#include <cmath>
#include <cstdint>
#include <limits>

namespace umber::npu::scalar {

/// Nearest, half to even, clamped; 0 for NaN.
inline int64_t toInteger(float value, double least, double most) {
  if (std::isnan(value)) {
    return 0;
  }
  double rounded = std::nearbyint(double(value));
  return int64_t(rounded < least ? least : rounded > most ? most : rounded);
}

/// NaN if one is NaN, the first of two zeros.
inline float maximum(float x, float y) {
  if (std::isnan(x) || std::isnan(y)) {
    return std::nanf("");
  }
  return y > x ? y : x;
}

/// x = n ln 2 + r, with ln 2 in two parts; e^x = 2^n times Taylor's polynomial
/// of r.
inline float exp(float x) {
  if (std::isnan(x)) {
    return x;
  }
  if (x < -87.0f) {
    return 0.0f;
  }
  if (x > 89.0f) {
    return std::numeric_limits<float>::infinity();
  }
  float n = std::nearbyint(x * 1.44269504f);
  float r = std::fma(n, 2.12194440e-4f, std::fma(n, -0.693359375f, x));
  constexpr float kFactorials[] = {5040, 720, 120, 24, 6, 2, 1, 1};
  float p = 1.0f / kFactorials[0];
  for (int i = 1; i < 8; ++i) {
    p = std::fma(p, r, 1.0f / kFactorials[i]);
  }
  return std::ldexp(p, int(n));
}

inline float tanh(float x) {
  if (std::isnan(x)) {
    return x;
  }
  float e = exp(-2.0f * std::fabs(x));
  float t = (1.0f - e) / (1.0f + e);
  return x < 0.0f ? -t : t;
}

} // namespace umber::npu::scalar

#endif // UMBER_TEST_UNIT_NPU_SCALARMATH_H
