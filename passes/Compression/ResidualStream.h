// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_PASSES_COMPRESSION_RESIDUALSTREAM_H
#define UMBER_PASSES_COMPRESSION_RESIDUALSTREAM_H

#include "dialects/Umber/IR/UmberOps.h"
#include "passes/Compression/ParameterUsers.h"

namespace umber {

/// The values that additions and slices join to an embedding's result: one
/// vector space, whose basis can be changed in all of them at once.
struct ResidualStream {
  int64_t width = 0;
  llvm::SmallVector<mlir::umber::EmbedOp> embeddings;
  /// Products that add to the stream.
  llvm::SmallVector<mlir::umber::LinearOp> writers;
  /// Products that read the stream through a norm without a gain.
  llvm::SmallVector<mlir::umber::LinearOp> readers;
  /// Norms that have a gain, or a use that is not a product with a weight of
  /// its own, and so need the stream in its own basis.
  llvm::SmallVector<mlir::umber::RmsNormOp> unabsorbedNorms;
};

/// Finds the streams of every embedding. One with another producer or consumer
/// than those is left out, with a remark at that op. `isUnit` says whether all
/// elements of a norm's weight are ones.
std::vector<ResidualStream>
findResidualStreams(mlir::ModuleOp module, const ParameterUsers &users,
                    llvm::function_ref<bool(mlir::umber::ParamOp)> isUnit);

} // namespace umber

#endif // UMBER_PASSES_COMPRESSION_RESIDUALSTREAM_H
