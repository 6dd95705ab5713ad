// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Orthogonal.h"
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

void Orthogonal::apply(llvm::MutableArrayRef<float> vector) const {
  for (size_t i = 0; i < signs.size(); ++i) {
    vector[i] *= signs[i];
  }
  for (int64_t half = 1; half < powerOfTwo; half *= 2) {
    for (int64_t block = 0; block < powerOfTwo; block += 2 * half) {
      float *a = vector.data() + block * odd, *b = a + half * odd;
      for (int64_t i = 0; i < half * odd; ++i) {
        float sum = a[i] + b[i], difference = a[i] - b[i];
        a[i] = sum;
        b[i] = difference;
      }
    }
  }
  float scale = 1.0f / std::sqrt(float(powerOfTwo));
  for (int64_t first = 0; first < getSize(); first += odd) {
    float sum = 0.0f;
    for (int64_t i = 0; i < odd; ++i) {
      sum += vector[first + i];
    }
    // A reflection of one element is -1, and would only change signs.
    float shift = odd == 1 ? 0.0f : 2.0f / float(odd) * sum;
    for (int64_t i = 0; i < odd; ++i) {
      vector[first + i] = (vector[first + i] - shift) * scale;
    }
  }
  for (size_t i = 0; i < signs.size(); ++i) {
    vector[i] *= signs[i];
  }
}

} // namespace umber
