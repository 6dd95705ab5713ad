// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an encoding costs.

#ifndef UMBER_PASSES_COMPRESSION_PALETTE_OUTPUTERROR_H
#define UMBER_PASSES_COMPRESSION_PALETTE_OUTPUTERROR_H

#include "dialects/Umber/Parameters/EncodedMatrix.h"
#include "passes/Compression/Palette/SecondMoment.h"

namespace umber::palette {

/// What is known of a linear layer y = x W^T.
struct ProductMoments {
  SecondMoment inputs; ///< of x
  /// Half that of the loss's derivatives by y, each for as many of its elements
  /// as it has columns, one after the other, all others taken to be
  /// independent. Empty: nothing is known.
  std::vector<SecondMoment> outputs;
};

/// tr(G X H X^T), X rows x columns in row-major order, for the undamped H of
/// the inputs and G of the outputs; without these, G = 1. With X an error of
/// the weights, it is about what the loss rises by, per token.
///
/// Runs on llvm::parallelFor's threads; their number does not change the
/// result.
double getOutputChange(llvm::ArrayRef<float> x, const ProductMoments &moments);

/// What getOutputChange() is on average for errors as large as the elements of
/// X, each independent of the others, whose effect on columns placed later is
/// made up for by error feedback. Takes no matrix products.
double getExpectedChange(llvm::ArrayRef<float> x,
                         const ProductMoments &moments);

/// getOutputChange() of the decoded minus the original weights.
double getOutputError(llvm::ArrayRef<float> weights,
                      const EncodedLayout &layout,
                      const EncodedMatrixRef &matrix,
                      const ProductMoments &moments);

} // namespace umber::palette

#endif // UMBER_PASSES_COMPRESSION_PALETTE_OUTPUTERROR_H
