// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turns an umber.kernel into a function of loops over flat buffers, executed by
// every worker of a team at once (single program, multiple data). Each op is
// emitted as loops over the share of its result that the worker computes. What
// a worker may read without waiting is tracked per value as its partition;
// where an op needs more, the team meets at a barrier first.

#ifndef UMBER_TARGETS_CPU_KERNELEMITTER_H
#define UMBER_TARGETS_CPU_KERNELEMITTER_H

#include "dialects/Umber/IR/UmberOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "targets/Common/DispatchPlan.h"
#include "targets/Common/PackPanels.h"

namespace umber::cpu {

/// Elements of the widest vectors in generated loops.
inline constexpr int64_t kVectorWidth = 16;

/// Which part of a value a worker has made itself.
struct Partition {
  enum class Kind {
    Everything, ///< all of it may be read: made before the last barrier
    Columns,    ///< a range of columns of every row
    Other,      ///< some part that no other op has use for
  };
  Kind kind = Kind::Everything;
  /// Columns: `total` units are split over the workers. Unit `first + i` is
  /// columns `i * granule` to `(i + 1) * granule - 1` of this value.
  int64_t granule = 0, first = 0, total = 0;
  /// Runs of units that cost the same, together all of them; empty where all
  /// do.
  struct Run {
    int64_t units, cost; ///< cost: of one, in any measure
    bool operator==(const Run &other) const {
      return units == other.units && cost == other.cost;
    }
  };
  llvm::SmallVector<Run> runs = {};

  bool operator==(const Partition &other) const {
    return kind == other.kind && granule == other.granule &&
           first == other.first && total == other.total && runs == other.runs;
  }
};

/// Rows of activations in a flat buffer. Quantized ones are held as words, and
/// only microkernels look into them.
struct Rows {
  mlir::Value memref; ///< of rank 1
  mlir::Value offset; ///< of the first row's first element, an index
  mlir::Value count;  ///< how many rows there are, an index
  int64_t maxCount;
  int64_t columns; ///< elements of a row; words, where they are quantized
  Partition partition;
};

struct Range {
  mlir::Value begin, end;
};

class KernelEmitter {
public:
  KernelEmitter(mlir::OpBuilder &moduleBuilder, const PlannedKernel &kernel)
      : b(moduleBuilder), planned(kernel), kernel(kernel.representative),
        loc(this->kernel.getLoc()) {}

  /// Emits `func.func @name(args, scratch, buffers...)`; fails with a
  /// diagnostic.
  mlir::LogicalResult emit();

  /// Bytes of scratch that a worker needs; valid after emit().
  uint64_t getScratchBytes() const { return scratchElements * sizeof(float); }

private:
  // Op families, a file each.
  mlir::LogicalResult emitOp(mlir::Operation &op);
  mlir::LogicalResult emitEmbed(mlir::umber::EmbedOp op);
  mlir::LogicalResult emitNorm(mlir::umber::RmsNormOp op);
  mlir::LogicalResult emitLinears(llvm::ArrayRef<mlir::umber::LinearOp> group);
  mlir::LogicalResult emitLora(mlir::umber::LoraOp op);
  mlir::LogicalResult emitQuantize(mlir::umber::QuantizeOp op);
  mlir::LogicalResult emitRotary(mlir::umber::RotaryOp op);
  mlir::LogicalResult emitKVUpdate(mlir::umber::KVUpdateOp op);
  mlir::LogicalResult emitAttention(mlir::umber::AttentionOp op);
  mlir::LogicalResult emitElementwise(mlir::Operation &op);
  mlir::LogicalResult emitGatedActivation(mlir::umber::GatedActivationOp op);
  mlir::LogicalResult emitSlice(mlir::tensor::ExtractSliceOp op);
  mlir::LogicalResult emitScalar(mlir::Operation &op);

  /// Consecutive products of the input of `first`.
  llvm::SmallVector<mlir::umber::LinearOp>
  getSiblings(mlir::umber::LinearOp first);
  /// `x` is the input of plain weights.
  void emitLinear(mlir::umber::LinearOp op, const Rows &x);
  /// All rows of a quantized value as f32, of this worker alone.
  Rows emitDequantized(mlir::Value quantized);
  /// Multiplies with `panel`, whose `count` rows begin at row `first`.
  void callEncodedLinear(mlir::umber::LinearOp op, mlir::RankedTensorType type,
                         mlir::Value panel, mlir::Value first,
                         mlir::Value count);
  /// Whether a product is of quantized rows, and of codes of `type` that
  /// vectors can read.
  bool isReadByQuads(mlir::umber::LinearOp op, mlir::RankedTensorType type);
  /// The product of at most kFewTokens rows with these panels.
  void callEncodedFew(mlir::umber::LinearOp op, mlir::RankedTensorType type,
                      Range panels);
  /// Writes row `id` of the table to `offset` in the result's buffer.
  void callEncodedEmbed(mlir::umber::EmbedOp op, mlir::RankedTensorType type,
                        mlir::Value id, mlir::Value offset);
  /// What active adapters have for the products of a group: before these, the
  /// products with A, split over the workers, and after them those with B, each
  /// worker for its own columns.
  mlir::LogicalResult
  emitLowRankInputs(llvm::ArrayRef<mlir::umber::LinearOp> group);
  void emitLowRankOutputs(llvm::ArrayRef<mlir::umber::LinearOp> group);
  /// Whether any adapter is active at a site of `loras`, an i1.
  mlir::Value areActive(llvm::ArrayRef<mlir::umber::LoraOp> loras);
  void emitBias(mlir::umber::LinearOp op, const Rows &y, Range columns);
  void emitNormOfVector(mlir::umber::RmsNormOp op, const Rows &x, const Rows &y,
                        mlir::Value row, mlir::Value column, int64_t length);
  /// Stores the worker's own heads of `rows` in a layer's keys or values.
  void emitCacheStore(const Rows &rows, mlir::Value cache,
                      mlir::umber::KVCacheType type);
  /// Whether a value stands for where the step begins in its sequence.
  bool isStepPosition(mlir::Value value);
  /// Microkernels look up the positions of the step's rows. Fails unless `rows`
  /// are all of those, and `pos` is where the step begins.
  mlir::LogicalResult checkPositions(mlir::Operation *op, mlir::Value pos,
                                     mlir::Value rows);
  /// Where the scratch has op.getRotatedDims() cosines and sines for each row.
  mlir::Value getRotaryTable(mlir::umber::RotaryOp op);

  // Buffers.
  mlir::LogicalResult createFunction();
  mlir::LogicalResult checkBuffer(const KernelBuffer &buffer,
                                  mlir::Type element);
  /// The type of the parameter that `op` names.
  mlir::RankedTensorType getParameterType(mlir::Operation *op,
                                          mlir::FlatSymbolRefAttr symbol);
  /// A constant of the module, of rank 1; equal ones are one.
  mlir::Value getConstant(llvm::StringRef name, mlir::DenseElementsAttr data);
  /// A PanelEncoding for microkernels.
  mlir::Value getEncoding(mlir::RankedTensorType type);
  /// Whether rows leave the kernel, so that they must be in their buffer.
  static bool isYieldedRow(mlir::Value value);
  Rows &rows(mlir::Value value) { return rowsOf.find(value)->second; }
  mlir::Value parameter(llvm::StringRef symbol) {
    return parameterOf.lookup(symbol);
  }
  mlir::Value cache(int64_t layer, bool keys) {
    return (keys ? keysOf : valuesOf).lookup(layer);
  }
  /// Memory of this worker alone.
  mlir::Value allocateScratch(int64_t elements);
  /// Sets the rows of an op's result, in its buffer.
  Rows &defineRows(mlir::Value value, const Rows &like, Partition partition);

  // Distribution.
  void barrier();
  /// Emits a barrier unless every worker may read all of `values`.
  void needEverything(llvm::ArrayRef<mlir::Value> values);
  /// The partition into columns for an op that works on `values` element by
  /// element or by groups of `granule` columns: what they have, or, after a
  /// barrier where they differ, a new one.
  Partition joinColumns(llvm::ArrayRef<mlir::Value> values, int64_t columns,
                        int64_t granule);
  Range splitEvenly(mlir::Value count);
  /// The first unit of worker `worker`.
  mlir::Value getFirstUnit(const Partition &partition, mlir::Value worker);
  Range getColumns(const Rows &rows);

  // Arithmetic on index and f32 values.
  mlir::Value index(int64_t value);
  mlir::Value f32(double value);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value div(mlir::Value a, mlir::Value b);
  mlir::Value ceilDiv(mlir::Value a, mlir::Value b);
  mlir::Value min(mlir::Value a, mlir::Value b);
  mlir::Value max(mlir::Value a, mlir::Value b);
  mlir::Value toI64(mlir::Value index);
  /// Offset of an element of `rows`.
  mlir::Value at(const Rows &rows, mlir::Value row, mlir::Value column);

  // Loops.
  using Body = llvm::function_ref<void(mlir::Value)>;
  void forEach(mlir::Value begin, mlir::Value end, Body body);
  /// Calls `body(column, width)` over vectors from `begin` to `end` and then,
  /// of width 1, over what is left.
  using VectorBody = llvm::function_ref<void(mlir::Value, int64_t)>;
  void forVectors(mlir::Value begin, mlir::Value end, int64_t width,
                  VectorBody body);
  /// An f32 or a vector of them, from memory of f32 or a narrower type.
  mlir::Value load(mlir::Value memref, mlir::Value offset, int64_t width);
  /// Stores an f32 or a vector of them, rounded to the memory's type.
  void store(mlir::Value value, mlir::Value memref, mlir::Value offset);
  mlir::Value broadcast(mlir::Value scalar, int64_t width);

  /// Calls a microkernel. Buffers are passed as pointers to their first
  /// element.
  void call(llvm::StringRef name, llvm::ArrayRef<mlir::Value> arguments);
  mlir::Value pointer(mlir::Value memref);

  mlir::OpBuilder &b;
  const PlannedKernel &planned;
  mlir::umber::KernelOp kernel;
  mlir::Location loc;
  mlir::func::FuncOp function;

  mlir::Value args, scratch;
  mlir::Value tokens, outputs, worker, workers;
  llvm::DenseMap<mlir::Value, Rows> rowsOf;
  llvm::DenseMap<mlir::Value, mlir::Value> memrefOf;
  llvm::DenseMap<mlir::Value, mlir::Value> scalarOf;
  llvm::StringMap<mlir::Value> parameterOf;
  llvm::DenseMap<int64_t, mlir::Value> keysOf, valuesOf;
  llvm::StringMap<mlir::Value> siteOf;
  /// Cosines and sines of the step's rows, which ops with equal ones share.
  struct RotaryTable {
    mlir::DenseElementsAttr frequencies;
    mlir::Attribute factors;
    double magnitude;
    mlir::Value offset; ///< in the scratch
  };
  llvm::SmallVector<RotaryTable> rotaryTables;
  int64_t scratchElements = 0;
};

} // namespace umber::cpu

#endif // UMBER_TARGETS_CPU_KERNELEMITTER_H
