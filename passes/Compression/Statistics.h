// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

//
// What calibration has found out about a model's products.

#ifndef UMBER_PASSES_COMPRESSION_STATISTICS_H
#define UMBER_PASSES_COMPRESSION_STATISTICS_H

#include "dialects/Umber/Parameters/DerivedStore.h"
#include "passes/Compression/Palette/SecondMoment.h"

namespace umber {

/// Of one matrix W in y = x W^T.
struct ProductStatistics {
  palette::SecondMoment moment; ///< of x
  /// Per row of W, half the mean of (dL/dy)^2, L the loss per token: the change
  /// of L is about sum_r rowWeights[r] * (change of y[r])^2. Empty: unknown.
  std::vector<float> rowWeights;
  uint64_t identity = 0; ///< equal for equal statistics
};

/// A folder of statistics, a file for each matrix. Keys hold the identity of
/// the weights they were collected with.
class Statistics {
public:
  /// An empty name stands for no statistics.
  explicit Statistics(llvm::StringRef folder) : store(folder), folder(folder) {}

  bool isEmpty() const { return folder.empty(); }

  /// Of the matrix `name` with these weights. Without statistics: nothing is
  /// known of inputs and outputs. Fails if the folder has none of this matrix.
  llvm::Expected<ProductStatistics> get(llvm::StringRef name, uint64_t weights,
                                        int64_t rows, int64_t columns) const;

  bool contains(llvm::StringRef name, uint64_t weights) const;

  /// `moment` is columns x columns.
  llvm::Error write(llvm::StringRef name, uint64_t weights,
                    llvm::ArrayRef<float> moment,
                    llvm::ArrayRef<float> rowWeights);

private:
  DerivedStore store;
  std::string folder;
};

} // namespace umber

#endif // UMBER_PASSES_COMPRESSION_STATISTICS_H
