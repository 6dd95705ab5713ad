// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vectors for the microkernels: the compiler's own vector types, which it maps
// to whatever registers the instruction set has. This code is compiled to
// bitcode once per instruction set, linked into generated code and inlined; it
// depends on nothing, not even the C library.

#ifndef UMBER_TARGETS_CPU_UKERNELS_VECTOR_H
#define UMBER_TARGETS_CPU_UKERNELS_VECTOR_H

#include <stdint.h>

#define UMBER_UKERNEL extern "C" __attribute__((visibility("hidden")))
#define UMBER_MEMBER inline __attribute__((always_inline))
#define UMBER_INLINE static UMBER_MEMBER
#define UMBER_LAMBDA __attribute__((always_inline))

namespace umber {

using half = _Float16;

template <typename T, int N>
using Vec = T __attribute__((ext_vector_type(N)));

/// Registers hold this many f32.
#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
#elif defined(__AVX2__)
inline constexpr int kLanes = 8;
#else
inline constexpr int kLanes = 4;
#endif

template <int I>
struct Constant {
  static constexpr int value = I;
};

/// Calls f(Constant<0>()) to f(Constant<Count - 1>()).
template <int Count, typename F>
UMBER_INLINE void forConstants(F f) {
  if constexpr (Count > 0) {
    forConstants<Count - 1>(f);
    f(Constant<Count - 1>());
  }
}

template <int N>
UMBER_INLINE Vec<float, N> load(const float *p) {
  Vec<float, N> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

template <int N>
UMBER_INLINE Vec<float, N> load(const half *p) {
  Vec<half, N> v;
  __builtin_memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, Vec<float, N>);
}

template <int N>
UMBER_INLINE void store(float *p, Vec<float, N> v) {
  __builtin_memcpy(p, &v, sizeof v);
}

/// a * b + c, rounded once.
template <typename V>
UMBER_INLINE V fma(V a, V b, V c) {
  return __builtin_elementwise_fma(a, b, c);
}

/// The sum of all lanes, in one fixed order on every instruction set: halves
/// are added until one lane is left.
template <int N>
UMBER_INLINE float sum(Vec<float, N> v) {
  if constexpr (N == 2) {
    return v[0] + v[1];
  } else {
    return sum<N / 2>(v.lo + v.hi);
  }
}

/// e^x for x <= 0, within 2 ulp: Cody-Waite reduction by ln 2 and the Taylor
/// polynomial of degree 7 on [-ln2/2, ln2/2]. Below -87 the result is 0; of NaN
/// it is NaN.
template <int N>
UMBER_INLINE Vec<float, N> expNonPositive(Vec<float, N> x) {
  using F = Vec<float, N>;
  using I = Vec<int32_t, N>;
  F clamped = __builtin_elementwise_max(x, F(-87.0f));
  F n = __builtin_elementwise_roundeven(clamped * F(1.44269504f));
  // From x itself: the clamped one has lost NaN.
  F r = fma(n, F(-0.693359375f), x);
  r = fma(n, F(2.12194440e-4f), r);
  F p = F(1.0f / 5040);
  p = fma(p, r, F(1.0f / 720));
  p = fma(p, r, F(1.0f / 120));
  p = fma(p, r, F(1.0f / 24));
  p = fma(p, r, F(1.0f / 6));
  p = fma(p, r, F(0.5f));
  p = fma(p, r, F(1.0f));
  p = fma(p, r, F(1.0f));
  I exponent = (__builtin_convertvector(n, I) + 127) << 23;
  F scale = __builtin_bit_cast(F, exponent);
  return x < F(-87.0f) ? F(0.0f) : p * scale;
}

/// The largest magnitude, or NaN if an element is not finite.
UMBER_INLINE float largestMagnitude(const float *x, int64_t count) {
  constexpr int kWidth = 16;
  using Floats = Vec<float, kWidth>;
  Floats largest = 0.0f, poison = 0.0f;
  int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) {
    Floats v = load<kWidth>(x + i);
    largest = __builtin_elementwise_max(largest, __builtin_elementwise_abs(v));
    poison += v * Floats(0.0f);
  }
  float most = 0.0f, spoilt = sum<kWidth>(poison);
#pragma clang loop unroll(full)
  for (int lane = 0; lane < kWidth; ++lane) {
    most = __builtin_elementwise_max(most, largest[lane]);
  }
  for (; i < count; ++i) {
    most = __builtin_elementwise_max(most, __builtin_elementwise_abs(x[i]));
    spoilt += x[i] * 0.0f;
  }
  return most + spoilt;
}

} // namespace umber

#endif // UMBER_TARGETS_CPU_UKERNELS_VECTOR_H
