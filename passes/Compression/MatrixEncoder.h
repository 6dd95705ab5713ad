// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_PASSES_COMPRESSION_MATRIXENCODER_H
#define UMBER_PASSES_COMPRESSION_MATRIXENCODER_H

#include "passes/Compression/DerivedParameters.h"
#include "passes/Compression/Palette/Palettize.h"
#include "passes/Compression/Statistics.h"

namespace umber {

/// Encodes parameters, and tells beforehand what that would cost. What is
/// finished is kept among the derived parameters.
class MatrixEncoder {
public:
  /// `rounds`: of refinement of what is encoded for good.
  MatrixEncoder(DerivedParameters &parameters, const Statistics &statistics,
                int64_t rounds)
      : parameters(parameters), statistics(statistics), rounds(rounds) {}

  /// How a matrix is stored at a width: palettes with a table per 16 rows up to
  /// 6 bits, rows of integers with a scale for 8, f16 for 16. A palette's
  /// entries have 7 bits, so that one of 8 bits would be no better than rows of
  /// integers, whose scales are finer.
  static mlir::RankedTensorType getType(mlir::RankedTensorType type,
                                        int64_t bits);

  /// The error at each of these widths, with little refinement: it ranks widths
  /// as more would. Fails with a diagnostic at the parameter.
  mlir::FailureOr<std::vector<palette::OutputError>>
  measure(mlir::umber::ParamOp param, llvm::ArrayRef<int64_t> bits);

  /// Gives the parameter its type at a width, its encoded bytes, and its error
  /// as an attribute. Fails with a diagnostic at the parameter.
  mlir::LogicalResult encode(mlir::umber::ParamOp param, int64_t bits);

private:
  mlir::FailureOr<ProductStatistics>
  getStatistics(mlir::umber::ParamOp param) const;

  DerivedParameters &parameters;
  const Statistics &statistics;
  int64_t rounds;
};

} // namespace umber

#endif // UMBER_PASSES_COMPRESSION_MATRIXENCODER_H
