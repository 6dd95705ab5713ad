// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

//
// A model's step function as a chain of segments, for running it, and its
// reverse, over many sequences with the weights of one segment in memory.

#ifndef UMBER_DIALECTS_UMBER_TRAINING_GRAPH_H
#define UMBER_DIALECTS_UMBER_TRAINING_GRAPH_H

#include "dialects/Umber/IR/UmberOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace umber::training {

/// Ops that a single value leads into, and a single one out of.
struct Segment {
  llvm::SmallVector<mlir::Operation *> ops; ///< that compute on rows
  mlir::Value input;  ///< null for the first, which begins with token ids
  mlir::Value output; ///< the logits for the last
};

/// Splits a function into about one segment per attention. The function takes
/// token ids and gives logits; what it slices off, to give only the last
/// tokens' logits, is kept: slices of rows count as their source. Fails with a
/// diagnostic at an op that cannot be run so.
mlir::FailureOr<std::vector<Segment>> getSegments(mlir::func::FuncOp function);

/// The same for the only function of a module that embeds tokens.
mlir::FailureOr<std::vector<Segment>> getSegments(mlir::ModuleOp module);

/// The update that gave a cache the keys and values that an attention over it
/// reads.
mlir::umber::KVUpdateOp findUpdate(mlir::umber::AttentionOp attention);

/// The rows that an op computes from, an attention's keys and values among
/// them.
llvm::SmallVector<mlir::Value> getRowOperands(mlir::Operation *op);

} // namespace umber::training

#endif // UMBER_DIALECTS_UMBER_TRAINING_GRAPH_H
