// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_DIALECTS_UMBER_TRAINING_FASTEXP_H
#define UMBER_DIALECTS_UMBER_TRAINING_FASTEXP_H

#include "llvm/ADT/bit.h"
#include <cstdint>

namespace umber::training {

/// e^x to about 2 units in the last place, 0 below -87; for x up to 88. Plain
/// arithmetic, so that loops of it are vectorized. The reduction is Cody and
/// Waite's, the polynomial Cephes'.
[[gnu::always_inline]] inline float fastExp(float x) {
  float clamped = x < -87.0f ? -87.0f : x > 88.0f ? 88.0f : x;
  float n = __builtin_rintf(clamped * 1.44269504f);
  float r = clamped - n * 0.693359375f + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  float mantissa = p * r * r + r + 1.0f;
  float power = llvm::bit_cast<float>((static_cast<int32_t>(n) + 127) << 23);
  return x < -87.0f ? 0.0f : mantissa * power;
}

} // namespace umber::training

#endif // UMBER_DIALECTS_UMBER_TRAINING_FASTEXP_H
