// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sines and cosines of rotary angles. Angles are computed in double, so that
// they are exact to f32 at any position below 2^31.

#include "targets/CPU/ukernels/Vector.h"

using namespace umber;

namespace {

constexpr int kWidth = 8;
using D = Vec<double, kWidth>;
using L = Vec<int64_t, kWidth>;

/// sin and cos of x: reduction by multiples of π/2 in three parts, then Taylor
/// polynomials on [-π/4, π/4], whose error is below 2e-11.
UMBER_INLINE void sinCos(D x, D &sine, D &cosine) {
  D n = __builtin_elementwise_roundeven(x * 0.63661977236758134);
  D r = fma(n, D(-1.57079632673412561417), x);
  r = fma(n, D(-6.07710050630396597660e-11), r);
  r = fma(n, D(-2.02226624879595063154e-21), r);
  D r2 = r * r;
  D s = D(1.0 / 6227020800);
  s = fma(s, r2, D(-1.0 / 39916800));
  s = fma(s, r2, D(1.0 / 362880));
  s = fma(s, r2, D(-1.0 / 5040));
  s = fma(s, r2, D(1.0 / 120));
  s = fma(s, r2, D(-1.0 / 6));
  s = fma(s * r2, r, r);
  D c = D(1.0 / 479001600);
  c = fma(c, r2, D(-1.0 / 3628800));
  c = fma(c, r2, D(1.0 / 40320));
  c = fma(c, r2, D(-1.0 / 720));
  c = fma(c, r2, D(1.0 / 24));
  c = fma(c, r2, D(-0.5));
  c = fma(c, r2, D(1.0));
  L quadrant = __builtin_convertvector(n, L);
  D sinPart = (quadrant & 1) != 0 ? c : s;
  D cosPart = (quadrant & 1) != 0 ? s : c;
  sine = (quadrant & 2) != 0 ? -sinPart : sinPart;
  cosine = ((quadrant + 1) & 2) != 0 ? -cosPart : cosPart;
}

} // namespace

/// table[i] = magnitude * cos(position * frequencies[i]) and table[pairs + i]
/// the sine, for i below pairs. Where factors is given, frequencies are divided
/// by it.
UMBER_UKERNEL void umber_uk_rope_table(float *table, int64_t tableOffset,
                                       int64_t position,
                                       const double *frequencies,
                                       const float *factors, int64_t hasFactors,
                                       int64_t pairs, double magnitude) {
  float *cosines = table + tableOffset;
  float *sines = cosines + pairs;
  for (int64_t i = 0; i < pairs; i += kWidth) {
    int64_t count = pairs - i < kWidth ? pairs - i : kWidth;
    D angle = D(0.0);
    for (int64_t k = 0; k < count; ++k) {
      double frequency = frequencies[i + k];
      angle[k] = double(position) *
                 (hasFactors ? frequency / factors[i + k] : frequency);
    }
    D sine, cosine;
    sinCos(angle, sine, cosine);
    for (int64_t k = 0; k < count; ++k) {
      cosines[i + k] = float(magnitude * cosine[k]);
      sines[i + k] = float(magnitude * sine[k]);
    }
  }
}
