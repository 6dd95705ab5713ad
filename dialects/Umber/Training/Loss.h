// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_DIALECTS_UMBER_TRAINING_LOSS_H
#define UMBER_DIALECTS_UMBER_TRAINING_LOSS_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>

namespace umber::training {

/// Numbers from 0 to 1 that look random and depend on the seed and an index
/// alone.
class UniformNumbers {
public:
  explicit UniformNumbers(uint64_t seed) : seed(seed) {}
  double get(uint64_t index) const;

private:
  uint64_t seed;
};

/// Replaces rows of logits by their softmax.
void softmaxRows(llvm::MutableArrayRef<float> logits, int64_t columns);

/// An index drawn from a row of probabilities, `uniform` from 0 to 1.
int32_t draw(llvm::ArrayRef<float> probabilities, double uniform);

/// Replaces rows of logits by the derivatives of -log p(token) for tokens drawn
/// from p, row i with number `first + i`: their outer products have as mean the
/// Fisher information, the curvature of the divergence from this model.
void drawnLossGradient(llvm::MutableArrayRef<float> logits, int64_t columns,
                       const UniformNumbers &numbers, uint64_t first);

/// Replaces rows of a student's logits by the derivatives of the Kullback-
/// Leibler divergence KL(teacher || student), summed over rows; returns that.
/// `teacher` are logits too, and are spoilt.
double divergenceGradient(llvm::MutableArrayRef<float> teacher,
                          llvm::MutableArrayRef<float> student,
                          int64_t columns);

} // namespace umber::training

#endif // UMBER_DIALECTS_UMBER_TRAINING_LOSS_H
