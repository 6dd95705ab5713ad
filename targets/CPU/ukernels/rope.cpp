// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sines and cosines of rotary angles. Angles are computed in double, so that
// they are exact to f32 at any position below 2^31.

#include "runtime/include/umber/umber_abi.h"
#include "targets/CPU/ukernels/Vector.h"

using namespace umber;

namespace {

constexpr int kWidth = 8;
using D = Vec<double, kWidth>;
using F = Vec<float, kWidth>;
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
  // Not every instruction set converts doubles to integers; at this size the
  // last bits of one are those of the integer that it is.
  L quadrant = __builtin_bit_cast(L, n + D(0x1.8p52));
  D sinPart = (quadrant & 1) != 0 ? c : s;
  D cosPart = (quadrant & 1) != 0 ? s : c;
  sine = (quadrant & 2) != 0 ? -sinPart : sinPart;
  cosine = ((quadrant + 1) & 2) != 0 ? -cosPart : cosPart;
}

/// `count` elements as doubles, and `rest` behind them.
template <typename T>
UMBER_INLINE D loadDoubles(const T *p, int64_t count, double rest) {
  if (count == kWidth) {
    Vec<T, kWidth> v;
    __builtin_memcpy(&v, p, sizeof v);
    return __builtin_convertvector(v, D);
  }
  D v = D(rest);
  for (int64_t i = 0; i < count; ++i) {
    v[i] = double(p[i]);
  }
  return v;
}

UMBER_INLINE void storeFloats(float *p, D v, int64_t count) {
  F narrow = __builtin_convertvector(v, F);
  if (count == kWidth) {
    return store<kWidth>(p, narrow);
  }
  for (int64_t i = 0; i < count; ++i) {
    p[i] = narrow[i];
  }
}

} // namespace

/// A table of 2 * pairs elements for each row of the step, one after the other:
/// table[i] = magnitude * cos(position * frequencies[i]) and table[pairs + i]
/// the sine, for i below pairs. Where factors is given, frequencies are divided
/// by it.
UMBER_UKERNEL void umber_uk_rope_tables(const umber_kernel_args *step,
                                        float *tables, int64_t offset,
                                        const double *frequencies,
                                        const float *factors,
                                        int64_t hasFactors, int64_t pairs,
                                        double magnitude) {
  for (int64_t i = 0; i < pairs; i += kWidth) {
    int64_t count = pairs - i < kWidth ? pairs - i : kWidth;
    D frequency = loadDoubles(frequencies + i, count, 0.0);
    if (hasFactors) {
      frequency /= loadDoubles(factors + i, count, 1.0);
    }
    float *table = tables + offset + i;
    for (int64_t row = 0; row < step->tokens; ++row, table += 2 * pairs) {
      D sine, cosine;
      sinCos(double(step->positions[row]) * frequency, sine, cosine);
      storeFloats(table, magnitude * cosine, count);
      storeFloats(table + pairs, magnitude * sine, count);
    }
  }
}
