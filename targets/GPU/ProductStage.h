// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A workgroup's panel of a matrix, times some rows. Its threads are slices of
// 32 lanes: a lane has a row of the panel, a slice every so many runs of
// columns, and what the slices have summed up is added in the end. A run is
// columns whose products are one sum of integers: those of one scale of the
// activations and one of the weights.

#ifndef UMBER_TARGETS_GPU_PRODUCTSTAGE_H
#define UMBER_TARGETS_GPU_PRODUCTSTAGE_H

#include "dialects/Umber/Parameters/StoredSize.h"
#include "targets/GPU/EncodedReader.h"
#include "targets/GPU/KernelEmitter.h"

namespace umber::gpu {

/// A product, and what is done to each of its results.
struct Product {
  mlir::umber::LinearOp linear;
  mlir::umber::LoraOp lora;           ///< null: none
  mlir::Operation *combine = nullptr; ///< element by element; null: none
  mlir::Value result;
};

class ProductStage {
public:
  /// Rows that a workgroup takes at a time, where there may be many.
  static constexpr int64_t kTileRows = 8;

  /// Of the launch under construction.
  ProductStage(KernelEmitter &emitter, const Product &product);

  static int64_t getThreads(KernelEmitter &emitter, const Product &product);
  int64_t getTileRows() const { return tile; }

  /// Multiplies this workgroup's rows with panel `panel`; all threads call it.
  void emit(mlir::Value panel);
  /// The first of the workgroup's rows.
  mlir::Value getFirstRow() const { return firstRow; }

private:
  using Sums = llvm::SmallVector<mlir::Value>;

  static int64_t getRunColumns(KernelEmitter &emitter,
                               mlir::umber::LinearOp op);
  Sums multiplyPlain(mlir::Value panel);
  Sums multiplyEncoded(mlir::Value panel);
  /// Products of the run of columns from `begin` to `end` with all rows: i32
  /// where these are quantized, else f32.
  Sums multiplyBlocks(EncodedReader &reader, mlir::Value begin,
                      mlir::Value end);
  Sums multiplyColumns(EncodedReader &reader, mlir::Value begin,
                       mlir::Value end);
  mlir::Value multiplyQuad(const Quad &weights, mlir::Value packed,
                           mlir::Value sum);
  /// Element `column` of row `r` of the tile, as f32.
  mlir::Value getInput(int64_t r, mlir::Value column);
  mlir::Value getInputScale(int64_t r, mlir::Value column);
  void finishRow(mlir::Value r, mlir::Value output, mlir::Value value);
  void addUp(mlir::Value panel, const Sums &sums);

  KernelEmitter &e;
  LaunchBuilder &l;
  const Product &product;
  mlir::umber::LinearOp op;
  mlir::RankedTensorType type, xType;
  int64_t tile, slices;
  mlir::Value lane, slice, firstRow;
  Rows x;
  llvm::SmallVector<mlir::Value> rowOffsets; ///< of the tile's rows of x
};

} // namespace umber::gpu

#endif // UMBER_TARGETS_GPU_PRODUCTSTAGE_H
