// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What every target shares: a fused function as a static list of dispatches
// over planned buffers. Kernels that differ only in which parameters and layer
// they use become one piece of code with several dispatches.

#ifndef UMBER_TARGETS_COMMON_DISPATCHPLAN_H
#define UMBER_TARGETS_COMMON_DISPATCHPLAN_H

#include "dialects/Umber/IR/UmberOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "targets/Common/QuantizedRows.h"
#include "llvm/ADT/SmallBitVector.h"
#include <string>

namespace umber {

/// A buffer that a kernel's code is given.
struct KernelBuffer {
  enum class Kind { Rows, Parameter, Keys, Values, Site };
  Kind kind;
  /// Rows: the tensor inside of the kernel, a block argument or an op's result.
  mlir::Value value;
  /// Parameter: its declaration. Site: that of the matrix that adapters
  /// correct.
  mlir::umber::ParamOp param;
  /// Keys, Values: the cache's type, and the layer.
  mlir::umber::KVCacheType cache;
  int64_t layer = -1;
};

/// The buffers of a kernel, in binding order: tensor inputs, results of its
/// ops, parameters, each layer's keys and values, and the sites of adapters,
/// all in order of first use. A slice of rows is a view of its source and has
/// no buffer of its own; nor has what an umber.lora alone uses, which is made
/// in the place of the result.
llvm::SmallVector<KernelBuffer> getKernelBuffers(mlir::umber::KernelOp kernel);

/// What adapters make of a value: the result of the umber.lora that alone uses
/// it, or the value itself.
mlir::Value getAdapted(mlir::Value value);

/// Words of 4 bytes that a row of these activations takes in a buffer: f32 or
/// i32 elements, or a QuantizedRow.
int64_t getRowWords(mlir::RankedTensorType type);

/// The form of rows of a type with a quantized encoding.
QuantizedRow getQuantizedRow(mlir::RankedTensorType type);

/// Where a dispatch's buffer is; runtime/package/umb.fbs tells the same.
struct BufferBinding {
  enum class Kind {
    Parameter,
    Arena,
    Keys,
    Values,
    TokenIds,
    Logits,
    Adapters,
    Step,
    Products,
    Candidates
  };
  Kind kind;
  uint32_t index = 0;  ///< parameter, layer or site
  uint64_t offset = 0; ///< arena: bytes; adapters: which site of its kernel
};

/// What a launch on a GPU consists of: workgroups, and the threads of each.
struct LaunchGrid {
  uint32_t x = 1, y = 1, z = 1;
  uint32_t threads = 0; ///< 0: no GPU's
};

struct PlannedDispatch {
  std::string name;
  unsigned kernel = 0; ///< index into DispatchPlan::kernels
  llvm::SmallVector<BufferBinding> bindings;
  int64_t layer = -1;
  uint64_t weightBytes = 0;
  uint64_t flopsPerToken = 0;
  uint64_t integerOpsPerToken = 0;
  uint64_t flopsPerPosition = 0;
  uint64_t window = 0;
  bool ofOutputs = false;
  LaunchGrid grid;
  bool withPrevious = false; ///< may run while the dispatch before it does
};

struct PlannedProgram {
  std::string name;
  int64_t maxTokens = 0;
  uint64_t arenaBytes = 0;
  int64_t candidates = 0; ///< of a row that it selects, 0: no GPU's
  std::vector<PlannedDispatch> dispatches;
};

/// A piece of code to generate: one of the kernels that share it.
struct PlannedKernel {
  std::string name;
  mlir::umber::KernelOp representative;
  int64_t maxTokens = 0;
  /// Inputs, by number, that have a row for each of the step's outputs; others
  /// have one for each token.
  llvm::SmallBitVector outputInputs;
};

struct DispatchPlan {
  std::vector<PlannedKernel> kernels;
  std::vector<PlannedProgram> programs;
  /// The parameters that any program reads, in the order of their indices.
  std::vector<mlir::umber::ParamOp> parameters;
  /// The matrices that adapters can correct, in the order of their indices.
  std::vector<mlir::umber::LoraOp> sites;
};

/// Plans every function of `module` that has `umber.max_tokens`. Fails, with a
/// diagnostic, where a kernel has a form that no target can run.
mlir::FailureOr<DispatchPlan> planDispatches(mlir::ModuleOp module);

/// Assigns offsets to buffers so that those alive at the same time are
/// disjoint.
class ArenaPlanner {
public:
  /// A buffer used by dispatches `first` to `last`; returns its number.
  unsigned add(uint64_t bytes, size_t first, size_t last);
  void extend(unsigned buffer, size_t last);
  /// Places all buffers, the largest first, each at the lowest offset where it
  /// fits. Returns the arena's size.
  uint64_t place();
  uint64_t getOffset(unsigned buffer) const { return buffers[buffer].offset; }

private:
  struct Buffer {
    uint64_t bytes;
    size_t first, last;
    uint64_t offset = 0;
  };
  std::vector<Buffer> buffers;
};

} // namespace umber

#endif // UMBER_TARGETS_COMMON_DISPATCHPLAN_H
