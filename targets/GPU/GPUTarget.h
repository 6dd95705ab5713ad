// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The GPU target: from a fused model to SPIR-V for Vulkan and PTX for CUDA.
// Both have the same launches, in the same order.

#ifndef UMBER_TARGETS_GPU_GPUTARGET_H
#define UMBER_TARGETS_GPU_GPUTARGET_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "runtime/drivers/gpu/estimate/LaunchFile.h"
#include "targets/Common/CompiledTarget.h"
#include "targets/GPU/LaunchBuilder.h"

namespace umber::gpu {

/// What code is generated for. Names are what the runtime looks for.
struct Variant {
  llvm::StringRef name;
  Api api;
  llvm::StringRef processor; ///< CUDA: as LLVM calls it
  llvm::StringRef version;   ///< CUDA: of PTX, the first that is enough
  bool readsTexels = false;  ///< Vulkan: what is only read
};

/// Every variant, the runtime's first choice first.
llvm::ArrayRef<Variant> getVariants();

/// A fused model's launches, and their code for one API: a module with a
/// gpu.module.
struct LoweredModel {
  DispatchPlan plan; ///< kernels are the entry points
  std::vector<TargetConstant> constants;
  /// What the launches of each program need. Kernels and matrices are not
  /// numbered yet.
  std::vector<LaunchProgram> work;
  mlir::OwningOpRef<mlir::ModuleOp> code;
};

/// Plans and lowers `module`, whose functions are fused and specialized. Fails
/// with a diagnostic.
mlir::FailureOr<LoweredModel> lowerToLaunches(mlir::ModuleOp module, Api api);

/// Converts Vulkan's code to a SPIR-V module in the place of the gpu.module.
/// Fails with a diagnostic.
mlir::LogicalResult convertToSPIRV(mlir::ModuleOp code);

/// Lets converted code for Vulkan read through texel buffers
/// (runtime/package/TexelSets.h). Fails with a diagnostic.
mlir::LogicalResult readThroughTexels(mlir::ModuleOp code);

/// The binary of converted code.
llvm::Expected<llvm::SmallVector<char, 0>> emitSPIRV(mlir::ModuleOp code);

/// Converts CUDA's code to the LLVM dialect. Fails with a diagnostic.
mlir::LogicalResult convertToNVVM(mlir::ModuleOp code);

/// PTX text of converted code.
llvm::Expected<std::string> emitPTX(mlir::ModuleOp code,
                                    const Variant &variant);

} // namespace umber::gpu

#endif // UMBER_TARGETS_GPU_GPUTARGET_H
