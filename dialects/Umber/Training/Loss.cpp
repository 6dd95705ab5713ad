// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Training/Loss.h"
#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include "dialects/Umber/Training/FastExp.h"
#include "llvm/Support/Parallel.h"
#include "llvm/Support/xxhash.h"
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

using llvm::ArrayRef;
using llvm::MutableArrayRef;

namespace umber::training {

double UniformNumbers::get(uint64_t index) const {
  uint64_t parts[] = {seed, index};
  uint64_t bits = llvm::xxh3_64bits(
      ArrayRef(reinterpret_cast<const uint8_t *>(parts), sizeof parts));
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

/// Returns the logarithm of the sum of exponentials.
UMBER_PER_PROCESSOR
static double softmaxRow(float *row, int64_t columns) {
#pragma clang fp reassociate(on)
  float largest = *std::max_element(row, row + columns);
  float sum = 0;
  for (int64_t i = 0; i < columns; ++i) {
    row[i] = fastExp(row[i] - largest);
    sum += row[i];
  }
  float inverse = 1 / sum;
  for (int64_t i = 0; i < columns; ++i) {
    row[i] *= inverse;
  }
  return largest + std::log(static_cast<double>(sum));
}

void softmaxRows(MutableArrayRef<float> logits, int64_t columns) {
  llvm::parallelFor(0, logits.size() / columns, [&](size_t row) {
    softmaxRow(&logits[row * columns], columns);
  });
}

int32_t draw(ArrayRef<float> probabilities, double uniform) {
  double sum = 0;
  for (auto [i, probability] : llvm::enumerate(probabilities)) {
    sum += probability;
    if (uniform < sum) {
      return static_cast<int32_t>(i);
    }
  }
  // Rounding: the sum stayed below 1.
  return static_cast<int32_t>(
      std::max_element(probabilities.begin(), probabilities.end()) -
      probabilities.begin());
}

void drawnLossGradient(MutableArrayRef<float> logits, int64_t columns,
                       const UniformNumbers &numbers, uint64_t first) {
  llvm::parallelFor(0, logits.size() / columns, [&](size_t row) {
    MutableArrayRef<float> p = logits.slice(row * columns, columns);
    softmaxRow(p.data(), columns);
    p[draw(p, numbers.get(first + row))] -= 1;
  });
}

double divergenceGradient(MutableArrayRef<float> teacher,
                          MutableArrayRef<float> student, int64_t columns) {
  std::vector<double> divergences(student.size() / columns);
  llvm::parallelFor(0, divergences.size(), [&](size_t row) {
    float *t = &teacher[row * columns];
    float *s = &student[row * columns];
    // sum p (log p - log q), the logarithms from the logits themselves.
    std::vector<float> difference(columns);
    for (int64_t i = 0; i < columns; ++i) {
      difference[i] = t[i] - s[i];
    }
    double teacherSum = softmaxRow(t, columns);
    double studentSum = softmaxRow(s, columns);
    double mean = 0;
    for (int64_t i = 0; i < columns; ++i) {
      mean += double(t[i]) * difference[i];
      s[i] -= t[i];
    }
    divergences[row] = mean - teacherSum + studentSum;
  });
  return std::accumulate(divergences.begin(), divergences.end(), 0.0);
}

} // namespace umber::training
