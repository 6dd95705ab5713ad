// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_PASSES_COMPRESSION_MODELBODY_H
#define UMBER_PASSES_COMPRESSION_MODELBODY_H

#include "dialects/Umber/IR/UmberOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace umber {

/// The matrices of a model in the two parts that have settings of their own,
/// and what corrects them.
struct ModelBody {
  /// Weights of products that work on features, in the module's order.
  llvm::SmallVector<mlir::umber::ParamOp> body;
  /// Matrices with a row per token: embeddings, and the head's where it has
  /// one of its own.
  llvm::SmallVector<mlir::umber::ParamOp> embeddings;
  /// What the two parts' matrices name as their corrections.
  llvm::SmallVector<mlir::umber::ParamOp> corrections;
  /// Weights that the body had as imported: what its bytes are divided by.
  /// Those that a pass has added, as a rotation, have none.
  int64_t weights = 0;

  explicit ModelBody(mlir::ModuleOp module);
};

} // namespace umber

#endif // UMBER_PASSES_COMPRESSION_MODELBODY_H
