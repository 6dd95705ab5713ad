// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TARGETS_GPU_HEADSTAGE_H
#define UMBER_TARGETS_GPU_HEADSTAGE_H

#include "targets/GPU/CacheWords.h"
#include "targets/GPU/KernelEmitter.h"

namespace umber::gpu {

/// Ops on the heads of some rows, one after the other.
struct HeadChain {
  mlir::Value source, end;
  int64_t heads;
  llvm::SmallVector<mlir::Operation *> ops = {};
  mlir::umber::KVUpdateOp update = {}; ///< that stores the end, or null
  bool keys = false;                   ///< as keys; else as values

  int64_t getHeadDim() const;
};

class HeadStage {
public:
  explicit HeadStage(KernelEmitter &emitter) : e(emitter) {}

  /// Adds an op, unless it needs what other workgroups of the stage make.
  bool add(mlir::Operation *op);
  mlir::LogicalResult emit();

private:
  int64_t getThreads() const;
  void emitChain(const HeadChain &chain, mlir::Value head);
  void emitNorm(const HeadChain &chain, mlir::umber::RmsNormOp op);
  void emitRotary(const HeadChain &chain, mlir::umber::RotaryOp op);
  void emitStore(const HeadChain &chain, mlir::Value head);
  void forOwn(int64_t count, LaunchBuilder::Body body);
  /// The sine and the cosine of the row's angle of a pair.
  std::pair<mlir::Value, mlir::Value> getTurn(mlir::umber::RotaryOp op,
                                              mlir::Value pair);

  KernelEmitter &e;
  LaunchBuilder *l = nullptr;
  std::vector<HeadChain> chains;
  llvm::SmallVector<mlir::Operation *> ops;
  mlir::Value row, vector;
};

} // namespace umber::gpu

#endif // UMBER_TARGETS_GPU_HEADSTAGE_H
