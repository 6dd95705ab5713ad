// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_PASSES_ADAPTERS_CANDIDATE_H
#define UMBER_PASSES_ADAPTERS_CANDIDATE_H

#include "passes/Compression/DerivedParameters.h"
#include "passes/Compression/Statistics.h"

namespace umber {

/// A matrix that can be corrected, and what the correction would do.
struct Candidate {
  /// Whether it is a palette that was made of the model's weights: one that a
  /// pass has added, as a rotation, is as good as exact.
  static bool isPossible(mlir::umber::ParamOp param);

  /// The rank is at most the matrix's smaller side; `bits` are 8 or 16.
  Candidate(mlir::umber::ParamOp param, int64_t rank, int64_t bits);

  /// Finds the correction and keeps it among the derived parameters, rounded,
  /// or takes that of a run before; and measures what it does. Fails with a
  /// diagnostic at the parameter.
  mlir::LogicalResult find(DerivedParameters &parameters,
                           const Statistics &statistics);

  /// The key of the weights that the palette was made of.
  llvm::StringRef getOriginal();
  /// Of both factors, in a package.
  int64_t getBytes() const;
  /// Decrease of the predicted loss per byte.
  double getGain() const;

  mlir::umber::ParamOp param;
  int64_t rank;
  mlir::RankedTensorType typeA, typeB; ///< rank x inputs and rank x outputs
  std::string keyA, keyB;              ///< of the factors
  double before = 0, after = 0; ///< the predicted loss without and with it

private:
  /// Sets the keys.
  mlir::LogicalResult name(const DerivedParameters &parameters,
                           uint64_t original, uint64_t statistics);
  /// Keeps the factors of the best correction of `error`, rounded.
  mlir::LogicalResult makeFactors(llvm::ArrayRef<float> error,
                                  const palette::ProductMoments &moments,
                                  DerivedStore &derived) const;
};

} // namespace umber

#endif // UMBER_PASSES_ADAPTERS_CANDIDATE_H
