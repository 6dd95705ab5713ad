// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_COMPILE_ENGINEINFO_H
#define UMBER_TOOLS_UMBER_COMPILE_ENGINEINFO_H

#include "runtime/drivers/npu/sim/ModelInfo.h"
#include "targets/NPU/Layout.h"

namespace umber::compile {

/// What reports say of a model of kernels, and of other widths for its matrices
/// on `engine`, which its weights are laid out for.
npu::ModelInfo describeModel(mlir::ModuleOp module, const npu::Layout &layout,
                             const npu::Config &engine);

} // namespace umber::compile

#endif // UMBER_TOOLS_UMBER_COMPILE_ENGINEINFO_H
