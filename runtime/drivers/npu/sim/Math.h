// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The vector unit's functions, one element at a time: the same bits on every
// machine, because nothing is left to a math library or to the compiler (these
// files are compiled without contraction of products and sums).

#ifndef UMBER_RUNTIME_DRIVERS_NPU_SIM_MATH_H
#define UMBER_RUNTIME_DRIVERS_NPU_SIM_MATH_H

#include <cstdint>
#include <limits>

namespace umber::npu {

/// a * b + c, rounded once.
inline float getFma(float a, float b, float c) {
  return __builtin_elementwise_fma(a, b, c);
}

/// Which bits a NaN has that an operation makes depends on the processor, and
/// on the order of operands: whatever is written has these.
inline float getCanonical(float x) {
  return x == x ? x : std::numeric_limits<float>::quiet_NaN();
}

/// The larger one. NaN if one is NaN; x of two zeros.
inline float getMaximum(float x, float y) { return y > x || y != y ? y : x; }

/// e^x within 2 ulp: Cody-Waite reduction by ln 2 and the Taylor polynomial of
/// degree 7 on [-ln2/2, ln2/2], as the CPU target's expNonPositive. Below -87
/// it is 0, above 89 infinite; of NaN it is NaN.
inline float getExp(float x) {
  // NaN becomes -87 here, so that n is an integer.
  float clamped = x > -87.0f ? x : -87.0f;
  clamped = clamped < 89.0f ? clamped : 89.0f;
  float n = __builtin_elementwise_roundeven(clamped * 1.44269504f);
  float r = getFma(n, -0.693359375f, x);
  r = getFma(n, 2.12194440e-4f, r);
  float p = 1.0f / 5040;
  p = getFma(p, r, 1.0f / 720);
  p = getFma(p, r, 1.0f / 120);
  p = getFma(p, r, 1.0f / 24);
  p = getFma(p, r, 1.0f / 6);
  p = getFma(p, r, 0.5f);
  p = getFma(p, r, 1.0f);
  p = getFma(p, r, 1.0f);
  // 2^n in two factors: n can be 128.
  auto exponent = int32_t(n);
  int32_t half = exponent >> 1;
  auto first = __builtin_bit_cast(float, (half + 127) << 23);
  auto second = __builtin_bit_cast(float, (exponent - half + 127) << 23);
  float result = p * first * second;
  result = x > 89.0f ? std::numeric_limits<float>::infinity() : result;
  return x < -87.0f ? 0.0f : result;
}

/// sign(x) (1 - e) / (1 + e) with e = exp(-2 |x|).
inline float getTanh(float x) {
  float e = getExp(-2.0f * __builtin_elementwise_abs(x));
  float magnitude = (1.0f - e) / (1.0f + e);
  return x < 0.0f ? -magnitude : magnitude;
}

inline float getSilu(float a) { return a / (1.0f + getExp(-a)); }

inline float getGeluTanh(float a) {
  float cubed = a * a * a;
  float inner = 0.79788456f * (a + 0.044715f * cubed);
  return 0.5f * a * (1.0f + getTanh(inner));
}

/// The integer nearest to x, half to even, of `least` to `most`; 0 for NaN.
/// Both limits are exact as F32.
inline int32_t getInteger(float x, float least, float most) {
  float rounded = __builtin_elementwise_roundeven(x);
  rounded = rounded > least ? rounded : least;
  rounded = rounded < most ? rounded : most;
  return x == x ? int32_t(rounded) : 0;
}

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_SIM_MATH_H
