// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/package/Orthogonal.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace umber {

static constexpr int64_t kMaxOdd = 65;

std::optional<Orthogonal> Orthogonal::get(int64_t size) {
  if (size <= 0 || size / (size & -size) > kMaxOdd) {
    return std::nullopt;
  }
  return Orthogonal(size);
}

Orthogonal::Orthogonal(int64_t size)
    : powerOfTwo(size & -size), odd(size / powerOfTwo) {
  // Any fixed signs do: they only keep a vector of equal elements, which H
  // would turn into a single one, from being special.
  std::mt19937 random(20241);
  for (int64_t i = 0; i < size; ++i) {
    signs.push_back(random() & 1 ? 1.0f : -1.0f);
  }
}

void Orthogonal::apply(float *m, int64_t width) const {
  auto applySigns = [&] {
    for (int64_t r = 0; r < getSize(); ++r) {
      for (int64_t c = 0; c < width; ++c) {
        m[r * width + c] *= signs[r];
      }
    }
  };
  applySigns();
  for (int64_t half = 1; half < powerOfTwo; half *= 2) {
    for (int64_t block = 0; block < powerOfTwo; block += 2 * half) {
      int64_t count = half * odd * width;
      float *a = m + block * odd * width, *b = a + count;
      for (int64_t i = 0; i < count; ++i) {
        float sum = a[i] + b[i], difference = a[i] - b[i];
        a[i] = sum;
        b[i] = difference;
      }
    }
  }
  float scale = 1.0f / std::sqrt(float(powerOfTwo));
  std::vector<float> shifts(width);
  for (int64_t first = 0; first < getSize(); first += odd) {
    float *run = m + first * width;
    std::fill(shifts.begin(), shifts.end(), 0.0f);
    for (int64_t r = 0; r < odd; ++r) {
      for (int64_t c = 0; c < width; ++c) {
        shifts[c] += run[r * width + c];
      }
    }
    for (float &shift : shifts) {
      // A reflection of one element is -1, and would only change signs.
      shift = odd == 1 ? 0.0f : 2.0f / float(odd) * shift;
    }
    for (int64_t r = 0; r < odd; ++r) {
      for (int64_t c = 0; c < width; ++c) {
        run[r * width + c] = (run[r * width + c] - shifts[c]) * scale;
      }
    }
  }
  applySigns();
}

} // namespace umber
