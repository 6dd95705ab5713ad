// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention of a workgroup: some query heads of a row that share a key and
// value head, over a part of the positions. A running softmax (Dao et al. 2022,
// arXiv:2205.14135) is kept by every eight threads, the neighbours, for
// positions of their own: for the scores a thread has a position, for the sum
// of the values every eighth word of all its neighbours' rows.

#ifndef UMBER_TARGETS_GPU_ATTENTIONSTAGE_H
#define UMBER_TARGETS_GPU_ATTENTIONSTAGE_H

#include "targets/GPU/CacheWords.h"

namespace umber::gpu {

/// A softmax over some positions and the sum of their values, not yet divided:
/// of a head, and of the elements that the thread has, every so many.
struct PartialAttention {
  mlir::Value most;  ///< the largest score
  mlir::Value total; ///< of e^(score - most)
  llvm::SmallVector<mlir::Value> values;
};

class AttentionStage {
public:
  /// Of query heads `group` heads to `group` heads + heads - 1.
  AttentionStage(LaunchBuilder &launch, mlir::umber::AttentionOp op,
                 CacheWords keys, CacheWords values, mlir::Value group);

  /// Of a workgroup: a subgroup of CUDA's, whose threads all come to the same
  /// shuffles. What keeps a GPU busy is many workgroups.
  static constexpr int64_t kThreads = 32;
  /// Query heads that a workgroup takes together, reading their cache once.
  static int64_t getHeads(mlir::umber::AttentionOp op);

  /// Reads the row's queries, which begin at word `from`.
  void readQueries(mlir::Value q, mlir::Value from);
  /// Of each head, over positions `begin` to `end` - 1, at least one. All
  /// threads call it, and meet.
  llvm::SmallVector<PartialAttention> attend(mlir::Value begin,
                                             mlir::Value end);

private:
  using Scores = llvm::SmallVector<mlir::Value>;

  mlir::Value getQuery(int64_t head, int64_t element);
  /// Of each head, the score of the thread's position.
  Scores getScores(mlir::Value position);
  /// Adds the values of the neighbours' positions, times their weights.
  void addValues(mlir::Value position, const Scores &weights,
                 llvm::MutableArrayRef<mlir::Value> sums);
  /// What all neighbours of the workgroup have made together.
  llvm::SmallVector<PartialAttention> merge(mlir::ValueRange states);

  LaunchBuilder &l;
  mlir::umber::AttentionOp op;
  CacheWords keys, values;
  mlir::Value group, kvHead;
  int64_t heads, headDim, rowWords, perWord;
  int64_t elements; ///< of the values' sum that a thread has of each head
  llvm::SmallVector<mlir::Value> queries; ///< Vulkan: every eighth element
  mlir::Value queryMemory;                ///< CUDA
};

/// Joins what two ranges of positions gave, the first one's being `before`.
PartialAttention join(LaunchBuilder &launch, const PartialAttention &before,
                      const PartialAttention &next);

/// What no positions give, of a thread with so many elements.
PartialAttention getEmptyAttention(LaunchBuilder &launch, int64_t elements);

} // namespace umber::gpu

#endif // UMBER_TARGETS_GPU_ATTENTIONSTAGE_H
