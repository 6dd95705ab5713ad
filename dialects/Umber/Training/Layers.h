// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

//
// The ops of a layer other than products and attention, forward and in reverse,
// over rows of floats. Rows are split over llvm::parallelFor's threads.

#ifndef UMBER_DIALECTS_UMBER_TRAINING_LAYERS_H
#define UMBER_DIALECTS_UMBER_TRAINING_LAYERS_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace umber::training {

/// Adds `x` to `sum`.
void addTo(llvm::ArrayRef<float> x, llvm::MutableArrayRef<float> sum);

/// Root-mean-square normalization of vectors as long as `gain`.
struct NormShape {
  llvm::ArrayRef<float> gain; ///< with the offset added
  float eps;
};

void normalize(const NormShape &shape, llvm::ArrayRef<float> x,
               llvm::MutableArrayRef<float> y);
/// Adds dL/dx to `dx`, and dL/dgain to `dGain` unless that is empty.
void normalizeBackward(const NormShape &shape, llvm::ArrayRef<float> x,
                       llvm::ArrayRef<float> dy,
                       llvm::MutableArrayRef<float> dx,
                       llvm::MutableArrayRef<float> dGain);

/// Rotary position embedding: per row of a sequence and pair, a cosine and a
/// sine, both times the op's magnitude.
struct RotaryTable {
  int64_t length, pairs, heads, headDim;
  bool isHalf; ///< pairs are (i, i + pairs), else (2 i, 2 i + 1)
  std::vector<float> cosines, sines;
};

RotaryTable getRotaryTable(llvm::ArrayRef<double> frequencies, float magnitude,
                           int64_t position, int64_t length, int64_t heads,
                           int64_t headDim, bool isHalf);

/// Rotates rows, `length` for each sequence, in place; back if `inverse`, which
/// is also the reverse of the derivative.
void rotate(const RotaryTable &table, llvm::MutableArrayRef<float> x,
            bool inverse);

enum class GateFunction { SiLU, GeluTanh };

/// out = f(gate) * up.
void gate(GateFunction function, llvm::ArrayRef<float> gate,
          llvm::ArrayRef<float> up, llvm::MutableArrayRef<float> out);
/// Adds to `dGate` and `dUp`.
void gateBackward(GateFunction function, llvm::ArrayRef<float> gate,
                  llvm::ArrayRef<float> up, llvm::ArrayRef<float> dOut,
                  llvm::MutableArrayRef<float> dGate,
                  llvm::MutableArrayRef<float> dUp);

/// What 8-bit (or `bits`-wide) storage makes of groups of `group` elements:
/// symmetric, the largest magnitude over 2^(bits-1) - 1, half to even.
void roundGroups(int64_t bits, int64_t group, llvm::ArrayRef<float> x,
                 llvm::MutableArrayRef<float> y);

} // namespace umber::training

#endif // UMBER_DIALECTS_UMBER_TRAINING_LAYERS_H
