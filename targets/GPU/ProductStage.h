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
  /// Of the launch under construction.
  ProductStage(KernelEmitter &emitter, const Product &product);
  virtual ~ProductStage() = default;

  static int64_t getThreads(KernelEmitter &emitter, const Product &product);
  int64_t getTileRows() const { return tile; }

  /// Multiplies this workgroup's rows with panel `panel`; all threads call it.
  virtual void emit(mlir::Value panel);
  /// The first of the workgroup's rows.
  mlir::Value getFirstRow() const { return firstRow; }

protected:
  using Sums = llvm::SmallVector<mlir::Value>;

  ProductStage(KernelEmitter &emitter, const Product &product, int64_t tile);

  static int64_t getRunColumns(KernelEmitter &emitter,
                               mlir::umber::LinearOp op);
  /// `sum` plus a run's sum of integers, as a float, times the input's scale
  /// and the weights', which may be null: they are multiplied in the end.
  mlir::Value addScaled(mlir::Value integers, mlir::Value inputScale,
                        mlir::Value weightScale, mlir::Value sum);
  /// Finishes a result, of row `r` of the tile and column `output`, if there is
  /// such a one.
  void finishRow(mlir::Value r, mlir::Value output, mlir::Value value);

  KernelEmitter &e;
  LaunchBuilder &l;
  const Product &product;
  mlir::umber::LinearOp op;
  mlir::RankedTensorType type, xType;
  int64_t tile, slices;
  mlir::Value lane, slice, firstRow;
  Rows x;

private:
  Sums multiplyPlain(mlir::Value panel);
  Sums multiplyEncoded(mlir::Value panel);
  /// Products of run `number` of columns with all rows: i32 where these are
  /// quantized, else f32.
  Sums multiplyBlocks(EncodedReader &reader, mlir::Value number, int64_t run);
  Sums multiplyColumns(EncodedReader &reader, mlir::Value number, int64_t run);
  mlir::Value multiplyQuad(const Quad &weights, mlir::Value packed,
                           mlir::Value sum);
  /// Element `column` of row `r` of the tile, as f32.
  mlir::Value getInput(int64_t r, mlir::Value column);
  /// `count` of them from `column` on, a multiple of 4 where `count` is.
  Sums getInputs(int64_t r, mlir::Value column, int64_t count);
  mlir::Value getInputScale(int64_t r, mlir::Value column);
  void addUp(mlir::Value panel, const Sums &sums);

  llvm::SmallVector<mlir::Value> rowOffsets; ///< of the tile's rows of x
};

} // namespace umber::gpu

#endif // UMBER_TARGETS_GPU_PRODUCTSTAGE_H
