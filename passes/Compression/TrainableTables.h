// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_PASSES_COMPRESSION_TRAINABLETABLES_H
#define UMBER_PASSES_COMPRESSION_TRAINABLETABLES_H

#include "dialects/Umber/Parameters/EncodedMatrix.h"

namespace umber {

/// A palettized matrix whose tables change while its codes stay.
class TrainableTables {
public:
  /// Whether the tables alone say what the codes stand for: with a scale per
  /// table, not per row.
  static bool areTrainable(const EncodedLayout &layout);

  /// `matrix` has codes that stay in memory.
  TrainableTables(const EncodedLayout &layout, const EncodedMatrixRef &matrix);

  /// The weights that the tables stand for now, rows x columns.
  std::vector<float> decode() const;

  /// Adds to the derivative of a loss by the tables what x and dL/dy of a
  /// product y = x W^T tell; both have a row per token.
  void addGradient(llvm::ArrayRef<float> x, llvm::ArrayRef<float> dy);

  /// Moves every entry by Adam's step (Kingma and Ba 2015, arXiv:1412.6980),
  /// `rate` times the root mean square of its table as it was at first, and
  /// forgets the gradient. `step` counts from 1.
  void descend(double rate, int64_t step);

  /// The matrix with tables rounded to 7-bit integers and f16 scales, each
  /// error as heavy as the entry is frequent.
  EncodedMatrix round() const;

  /// All that changes, to be kept between steps.
  std::vector<float> getState() const;
  void setState(llvm::ArrayRef<float> state);
  int64_t getStateSize() const { return 3 * int64_t(values.size()); }

private:
  EncodedLayout layout;
  llvm::ArrayRef<uint8_t> codes;
  std::vector<float> values, firstMoments, secondMoments, gradient;
  std::vector<float> sizes; ///< of each table
};

} // namespace umber

#endif // UMBER_PASSES_COMPRESSION_TRAINABLETABLES_H
