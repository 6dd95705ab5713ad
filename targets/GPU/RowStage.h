// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TARGETS_GPU_ROWSTAGE_H
#define UMBER_TARGETS_GPU_ROWSTAGE_H

#include "dialects/Umber/Parameters/StoredSize.h"
#include "targets/GPU/KernelEmitter.h"

namespace umber::gpu {

/// Threads that have a row together.
inline constexpr int64_t kRowThreads = 128;

/// What a workgroup does with its row of a launch under construction.
class RowStage {
public:
  RowStage(KernelEmitter &emitter, llvm::ArrayRef<mlir::Operation *> ops);

  mlir::Value getRow() const { return row; }
  mlir::LogicalResult emitOp(mlir::Operation &op);
  /// Writes s (A x) of what is active at a site.
  void emitLowRank(mlir::umber::LoraOp lora);
  /// Whether a value is of this stage.
  bool hasElements(mlir::Value value) const { return elements.count(value); }

private:
  using Element = std::function<mlir::Value(mlir::Value column)>;

  void emitEmbed(mlir::umber::EmbedOp op);
  void emitNorm(mlir::umber::RmsNormOp op);
  void emitGatedActivation(mlir::umber::GatedActivationOp op);
  void emitElementwise(mlir::Operation &op);
  mlir::LogicalResult emitQuantize(mlir::umber::QuantizeOp op);
  void quantizeByThreads(mlir::umber::QuantizeOp op, const Rows &y);
  void quantizeByWords(mlir::umber::QuantizeOp op, const Rows &y);
  mlir::Value findLargestOfGroup(mlir::Value most, mlir::Value memory,
                                 int64_t count);
  /// A group's scale, of its largest magnitude.
  mlir::Value getScale(mlir::umber::QuantizeOp op, mlir::Value largest);
  /// The integer that a value becomes, in the low byte of a word.
  mlir::Value getByte(mlir::umber::QuantizeOp op, mlir::Value value,
                      mlir::Value scale);
  /// An element of rows that are of the stage or in a buffer.
  mlir::Value getElement(mlir::Value rows, mlir::Value column);
  void forOwnColumns(int64_t columns, LaunchBuilder::Body body);
  void writeToBuffer(mlir::Value value);

  KernelEmitter &e;
  LaunchBuilder &l;
  llvm::ArrayRef<mlir::Operation *> ops;
  mlir::Value row, partial;
  llvm::DenseMap<mlir::Value, Element> elements;
  /// Elements that are in the buffer, for the thread that has written them.
  llvm::DenseMap<mlir::Value, Element> written;
};

} // namespace umber::gpu

#endif // UMBER_TARGETS_GPU_ROWSTAGE_H
