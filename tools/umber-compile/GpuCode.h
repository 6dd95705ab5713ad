// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_COMPILE_GPUCODE_H
#define UMBER_TOOLS_UMBER_COMPILE_GPUCODE_H

#include "targets/GPU/GPUTarget.h"
#include "tools/umber-compile/Options.h"

namespace umber::compile {

/// Is given an API's launches as the gpu dialect, before they are converted.
using SeeLaunches = llvm::function_ref<llvm::Error(gpu::Api, mlir::ModuleOp)>;

/// Compiles a fused module for these variants of the GPU target. Where lowering
/// fails, a diagnostic says why.
llvm::Expected<CompiledTarget>
compileForGpu(mlir::ModuleOp module,
              llvm::ArrayRef<const gpu::Variant *> variants, SeeLaunches see);

/// Writes the module's code as text: PTX of `variant`, SPIR-V's dialect, or,
/// for Emit::MLIR, the gpu dialect.
llvm::Error writeGpuCode(mlir::ModuleOp module, const gpu::Variant &variant,
                         Emit emit, llvm::StringRef path, SeeLaunches see);

} // namespace umber::compile

#endif // UMBER_TOOLS_UMBER_COMPILE_GPUCODE_H
