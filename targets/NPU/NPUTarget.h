// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A fused model to programs of a neural engine: what the compiler calls.

#ifndef UMBER_TARGETS_NPU_NPUTARGET_H
#define UMBER_TARGETS_NPU_NPUTARGET_H

#include "targets/NPU/FunctionEmitter.h"

namespace umber::npu {

struct CompiledFunction {
  std::string name; ///< `decode` or `prefill`
  EmittedFunction emitted;
};

struct CompiledModel {
  std::vector<CompiledFunction> functions;
  Layout layout;
  /// The programs as ops, each at the location of its kernel: what the binaries
  /// are made of.
  mlir::OwningOpRef<mlir::ModuleOp> programs;
};

/// Compiles every function of a module of kernels for `config`, with room for
/// adapters of up to `adapterRank` (0: none are run). Where the scratchpad has
/// no room for a function's rows, it takes half of them in a step, and so on.
/// Fails with a diagnostic that names the engine and what it has not got.
mlir::FailureOr<CompiledModel>
compileModel(mlir::ModuleOp module, const Config &config, int64_t adapterRank);

} // namespace umber::npu

#endif // UMBER_TARGETS_NPU_NPUTARGET_H
