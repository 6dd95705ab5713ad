// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A product by tensor cores, for programs of several tokens on CUDA, where
// weights are encoded and inputs are quantized. A slice, which is a warp, makes
// of a run's codes the bytes that its threads have in a 16 x 32 operand, and
// multiplies them with 8 rows of the input after the other: what a code costs
// is shared by as many rows as the tile has, and nothing is exchanged before
// the sums are. These are added up in the order of ProductStage, so a row has
// the same bits, however many there are.

#ifndef UMBER_TARGETS_GPU_TENSORSTAGE_H
#define UMBER_TARGETS_GPU_TENSORSTAGE_H

#include "targets/GPU/ProductStage.h"

namespace umber::gpu {

class TensorStage : public ProductStage {
public:
  /// Of the launch under construction.
  TensorStage(KernelEmitter &emitter, const Product &product);

  /// Whether tensor cores can do a product.
  static bool canDo(KernelEmitter &emitter, const Product &product);

  void emit(mlir::Value panel) override;

private:
  /// A warp's operand of 16 rows of the matrix and 32 columns, four words of
  /// each thread.
  using Fragment = llvm::SmallVector<mlir::Value, 4>;
  /// A piece of all rows of the panel: fragment `2 step + half`.
  using Weights = llvm::SmallVector<Fragment, 4>;
  using Change = llvm::function_ref<Sums(int64_t n, mlir::ValueRange)>;

  static int64_t chooseTile(KernelEmitter &emitter, const Product &product);
  /// Columns of a piece, which is what a thread reads of a row at a time: a
  /// quarter of it.
  static int64_t getPieceColumns(int64_t run);

  /// Where row `row` of the tile begins in the input.
  mlir::Value getRowOffset(mlir::Value row);
  Weights loadWeights(mlir::Value piece);
  /// The integer sums of 8 rows from row 8 `n` on, plus those of a piece.
  Sums multiply(const Weights &weights, mlir::Value piece, int64_t n,
                mlir::ValueRange sums);
  /// The sums of 8 rows plus what a run's integer sums are worth.
  Sums addRun(mlir::Value column, int64_t n, mlir::ValueRange integers,
              mlir::ValueRange sums, mlir::ValueRange weightScales);
  /// Changes all sums, 8 rows after the other, but for rows that are not there.
  Sums changeSums(mlir::ValueRange sums, Change change);
  Sums multiplyRuns();
  /// Adds up what slices have and finishes each result.
  void addUpFragments(mlir::Value panel, const Sums &sums);
  void addUpRows(int64_t first, int64_t count, const Sums &sums,
                 mlir::Value partial, mlir::Value results);

  PanelEncoding encoding;
  int64_t run, pieceColumns;
  bool hasOneScale, mayReadAllRows, areSumsSmall;
  mlir::Value group, inGroup; ///< the thread is 4 group + inGroup of its warp
  mlir::Value rowsHere;       ///< how many there are, from firstRow on
  llvm::SmallVector<EncodedReader> readers; ///< of rows group + 8 i
};

} // namespace umber::gpu

#endif // UMBER_TARGETS_GPU_TENSORSTAGE_H
