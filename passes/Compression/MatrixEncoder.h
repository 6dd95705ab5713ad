// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_PASSES_COMPRESSION_MATRIXENCODER_H
#define UMBER_PASSES_COMPRESSION_MATRIXENCODER_H

#include "passes/Compression/DerivedParameters.h"
#include "passes/Compression/ForEachParam.h"
#include "passes/Compression/Statistics.h"

namespace umber {

/// What a matrix's widths were predicted to add to the model's loss when they
/// were chosen: an attribute of `umber.param`, a dictionary of f64 by the bits.
inline constexpr llvm::StringLiteral kWidthLossesAttrName =
    "umber.width_losses";

/// Encodes parameters, and tells beforehand what that would cost. What is
/// finished is kept: encoded matrices among the derived parameters, errors with
/// the statistics, for other budgets.
class MatrixEncoder {
public:
  /// `rounds`: of refinement of what is encoded for good.
  MatrixEncoder(DerivedParameters &parameters, Statistics &statistics,
                int64_t rounds)
      : parameters(parameters), statistics(statistics), rounds(rounds) {}

  /// How a matrix is stored at a width: palettes with a table per 16 rows up to
  /// 6 bits, rows of integers with a scale for 8, f16 for 16. A palette's
  /// entries have 7 bits, so that one of 8 bits would be no better than rows of
  /// integers, whose scales are finer.
  static mlir::RankedTensorType getType(mlir::RankedTensorType type,
                                        int64_t bits);

  /// Fails with a diagnostic at the model if rounds of refinement or the
  /// damping of statistics are none.
  static mlir::LogicalResult checkOptions(mlir::ModuleOp model, int64_t rounds,
                                          Damping damping);

  /// Each parameter's error at each of these widths, without refinement: it
  /// ranks widths as with it. Where `rounds` is 0, an estimate, without
  /// encoding anything. Fails with a diagnostic at the parameter.
  mlir::FailureOr<std::vector<std::vector<float>>>
  measure(llvm::ArrayRef<mlir::umber::ParamOp> params,
          llvm::ArrayRef<int64_t> bits, ParamReport report);

  /// Gives the parameters their types at a width each, their encoded bytes, and
  /// their errors as attributes; of a model of shapes only, just the types.
  /// Fails with a diagnostic at the parameter.
  mlir::LogicalResult encode(llvm::ArrayRef<mlir::umber::ParamOp> params,
                             llvm::ArrayRef<int64_t> bits, ParamReport report);

private:
  mlir::FailureOr<std::vector<float>> measureOne(mlir::umber::ParamOp param,
                                                 llvm::ArrayRef<int64_t> bits);
  mlir::LogicalResult encodeOne(mlir::umber::ParamOp param, int64_t bits);
  llvm::Expected<EncodedMatrix> compress(llvm::ArrayRef<float> weights,
                                         mlir::umber::ParamOp param,
                                         int64_t bits,
                                         const palette::ProductMoments &moments,
                                         int64_t rounds) const;
  mlir::FailureOr<ProductStatistics>
  getStatistics(mlir::umber::ParamOp param) const;

  DerivedParameters &parameters;
  Statistics &statistics;
  int64_t rounds;
};

} // namespace umber

#endif // UMBER_PASSES_COMPRESSION_MATRIXENCODER_H
