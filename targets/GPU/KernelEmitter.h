// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turns an umber.kernel into launches on a GPU. A launch is a stage: what needs
// no other workgroup's results. Its kinds, a file each, are
//
//   rows        a workgroup for each row: embeddings, norms, quantization,
//               element-wise ops, and the first half of adapters
//   products    a workgroup for each panel of a matrix and some rows: a
//               product, with what is done to each result
//   heads       a workgroup for each head and row: norms of heads, rotary
//               embedding, the cache's update
//   attention   a workgroup for some query heads that share a key and value
//               head, a row, and a part of its positions; and then, to join
//               the parts, one for each query head and row

#ifndef UMBER_TARGETS_GPU_KERNELEMITTER_H
#define UMBER_TARGETS_GPU_KERNELEMITTER_H

#include "dialects/Umber/IR/UmberOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "targets/Common/DispatchPlan.h"
#include "targets/GPU/LaunchBuilder.h"
#include <functional>
#include <memory>

namespace umber::gpu {

/// Where a launch's buffer comes from.
struct LaunchBuffer {
  enum class Kind {
    Kernel,   ///< one of getKernelBuffers()
    Step,     ///< the step's words
    Products, ///< what the site of that kernel buffer makes of rows
    Scratch,  ///< what launches of one kernel leave to each other
    Constant  ///< words of EntryPoints::getConstants()
  };
  Kind kind;
  unsigned number = 0; ///< Kernel, Products: of the kernel's buffer; Constant
};

/// A launch of a kernel.
struct Launch {
  std::string stage;  ///< what reports call it within its kernel
  unsigned entry = 0; ///< index into the module's entry points
  llvm::SmallVector<LaunchBuffer> buffers;
  LaunchGrid grid;
  bool withPrevious = false; ///< may run while the launch before it does
  int64_t sharedBytes = 0;   ///< of workgroup memory
  bool usesTensorCores = false;
  /// Attention: workgroups along z have parts of a row's positions, at least so
  /// many each; 0: each has all.
  int64_t partPositions = 0;
  /// Ops whose cost is this launch's.
  llvm::SmallVector<mlir::Operation *> ops;
};

/// The entry points of a module of launches, equal code being one, and
/// constants that they read.
class EntryPoints {
public:
  explicit EntryPoints(mlir::gpu::GPUModuleOp module) : module(module) {}

  mlir::gpu::GPUModuleOp getModule() { return module; }
  const std::vector<std::string> &getNames() const { return names; }
  /// Adds a finished function under a name that begins with `prefix`, or erases
  /// it where there is one of the same code. Returns the entry's number.
  unsigned add(mlir::gpu::GPUFuncOp function, llvm::StringRef prefix);

  const std::vector<std::vector<uint32_t>> &getConstants() const {
    return constants;
  }
  /// The number of a constant; equal ones are one.
  unsigned addConstant(std::vector<uint32_t> words);

private:
  mlir::gpu::GPUModuleOp module;
  llvm::StringMap<unsigned> numbers;
  std::vector<std::string> names;
  std::vector<std::vector<uint32_t>> constants;
};

/// Of each pair, the low and the high word of the turns that it makes from one
/// position to the next, before factors: a fraction of 64 bits.
std::vector<uint32_t> getTurnsPerPosition(mlir::umber::RotaryOp op);

/// Activations in a buffer, inside of a launch.
struct Rows {
  mlir::Value buffer;
  mlir::Value offset; ///< of the first row, in words
  mlir::Value count;
  int64_t words;   ///< of a row
  int64_t columns; ///< of the tensor
};

/// A step's words (runtime/package/umb.fbs).
enum class StepWord {
  Position = 0,
  Tokens = 1,
  Outputs = 2,
  Capacity = 3,
  Candidates = 5
};

class KernelEmitter {
public:
  KernelEmitter(EntryPoints &entries, const PlannedKernel &kernel, Api api);

  /// Fails with a diagnostic.
  mlir::FailureOr<std::vector<Launch>> emit();
  /// Words that the kernel's launches leave to each other; after emit().
  int64_t getScratchWords() const { return scratchWords; }

private:
  using Ops = llvm::SmallVector<mlir::Operation *>;

  // Stages, a file each. They take the ops from `at` on that they can and leave
  // it at the first that they cannot.
  mlir::LogicalResult emitRows(mlir::Block::iterator &at);
  mlir::LogicalResult emitProducts(mlir::Block::iterator &at);
  mlir::LogicalResult emitHeads(mlir::Block::iterator &at);
  mlir::LogicalResult emitAttention(mlir::umber::AttentionOp op);
  mlir::LogicalResult emitJoin(mlir::umber::AttentionOp op);
  mlir::LogicalResult emitLowRank(llvm::ArrayRef<mlir::umber::LoraOp> loras);
  mlir::LogicalResult checkOp(mlir::Operation &op);

  // The frame of a launch.
  void begin(mlir::Operation *op, int64_t threads);
  /// Fails, with a diagnostic, where a workgroup needs too much memory.
  mlir::LogicalResult finish(llvm::StringRef stage, LaunchGrid grid, Ops ops);

  // Buffers of the launch under construction.
  Rows getRows(mlir::Value value);
  mlir::Value getRowsBuffer(mlir::Value value);
  mlir::Value getParameter(llvm::StringRef symbol);
  mlir::Value getCache(int64_t layer, bool keys);
  mlir::Value getSite(mlir::umber::LoraOp lora);
  mlir::Value getProducts(mlir::umber::LoraOp lora);
  mlir::Value getScratch();
  mlir::Value getStep(StepWord word);
  /// What getTurnsPerPosition() gives.
  mlir::Value getRotaryTable(mlir::umber::RotaryOp op);
  /// How many rows a value has, an index.
  mlir::Value getCount(mlir::Value rows);
  /// Index arithmetic of the kernel, evaluated in the launch.
  mlir::Value getScalar(mlir::Value value);
  mlir::RankedTensorType getParameterType(mlir::FlatSymbolRefAttr symbol);
  /// Whether a value stands for where the step begins in its sequence.
  bool isStepPosition(mlir::Value value);
  mlir::LogicalResult checkPositions(mlir::Operation *op, mlir::Value pos,
                                     mlir::Value rows);
  /// Whether a value has a row for each of the step's tokens, known without a
  /// launch.
  bool hasRowPerToken(mlir::Value rows);
  /// Whether what is not in `stage` reads `value`, so that it must be in its
  /// buffer.
  bool isReadOutside(mlir::Value value,
                     llvm::ArrayRef<mlir::Operation *> stage);
  friend class RowStage;
  friend class HeadStage;
  friend class ProductStage;
  friend class TensorStage;

  EntryPoints &entries;
  const PlannedKernel &planned;
  mlir::umber::KernelOp kernel;
  Api api;
  llvm::SmallVector<KernelBuffer> buffers;
  llvm::SmallVector<LaunchBuffer> candidates;
  llvm::DenseMap<mlir::Value, unsigned> rowsNumber;
  llvm::StringMap<unsigned> parameterNumber, siteNumber, productsNumber;
  llvm::DenseMap<int64_t, unsigned> keysNumber, valuesNumber;
  llvm::DenseMap<mlir::Operation *, unsigned> rotaryNumber;
  /// Ops that an earlier stage has done already.
  llvm::SmallPtrSet<mlir::Operation *, 8> done;
  /// Sites whose first half is computed.
  llvm::SmallPtrSet<mlir::Operation *, 4> lowRankDone;
  std::unique_ptr<LaunchBuilder> launch;
  mlir::Operation *launchOp = nullptr; ///< the first op of the launch
  llvm::SmallVector<mlir::Value> stepWords;
  std::vector<Launch> launches;
  int64_t scratchWords = 0;
};

} // namespace umber::gpu

#endif // UMBER_TARGETS_GPU_KERNELEMITTER_H
