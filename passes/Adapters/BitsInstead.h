// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What corrections' bytes would have bought as wider codes.

#ifndef UMBER_PASSES_ADAPTERS_BITSINSTEAD_H
#define UMBER_PASSES_ADAPTERS_BITSINSTEAD_H

#include "passes/Adapters/Candidate.h"
#include "passes/Compression/Allocation.h"
#include "passes/Compression/MatrixEncoder.h"

namespace umber {

/// The widths of a body's matrices as umber-palettize chose among them.
class BitsInstead {
public:
  /// Of the body of `module`, whose budget may be spent on `widths`. What
  /// `encoder` predicts is right in proportion: it is scaled to what the
  /// candidates' matrices are known to cost. Fails with a diagnostic at a
  /// parameter.
  static mlir::FailureOr<BitsInstead>
  measure(mlir::ModuleOp module, llvm::ArrayRef<int64_t> widths,
          llvm::ArrayRef<Candidate> candidates, MatrixEncoder &encoder);

  /// The predicted loss of the body as it is, without corrections.
  double getLoss() const { return sumLoss(chosen, {}); }
  /// The decrease of it per byte that wider codes of one matrix would buy.
  double getGain() const { return getMarginalGain(matrices, chosen); }
  /// The predicted loss of the body, with the best widths in so many bytes
  /// more than it takes now; `without` what the matrix of that name has of it.
  double getLoss(int64_t moreBytes, llvm::StringRef without = {}) const;
  /// Bits per weight of the body in so many bytes more.
  double getBits(int64_t moreBytes) const;

private:
  int64_t getBytes() const;
  double sumLoss(llvm::ArrayRef<size_t> chosen, llvm::StringRef without) const;

  std::vector<llvm::StringRef> names;
  std::vector<std::vector<StorageChoice>> matrices;
  std::vector<size_t> chosen;
  int64_t weights = 0; ///< of the body, as imported
};

} // namespace umber

#endif // UMBER_PASSES_ADAPTERS_BITSINSTEAD_H
