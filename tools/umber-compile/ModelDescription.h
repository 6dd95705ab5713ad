// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_COMPILE_MODELDESCRIPTION_H
#define UMBER_TOOLS_UMBER_COMPILE_MODELDESCRIPTION_H

#include "runtime/description/ModelInfo.h"
#include "targets/NPU/Layout.h"

#include <functional>

namespace umber::compile {

/// How a target holds matrices.
struct MatrixStorage {
  /// Bytes that the device reads of one of that type; 0: it cannot be.
  std::function<uint64_t(mlir::RankedTensorType)> getStreamBytes;
  /// Where one is among the weights, from begin to end; two equal numbers if
  /// that is of no interest.
  std::function<std::pair<uint64_t, uint64_t>(llvm::StringRef)> getPlace;
};

/// On an engine, which weights are laid out for. Both outlive it.
MatrixStorage getEngineStorage(const npu::Layout &layout,
                               const npu::Config &engine);
MatrixStorage getGpuStorage();

/// What reports say of a model of kernels, and of other widths for its
/// matrices.
ModelInfo describeModel(mlir::ModuleOp module, const MatrixStorage &storage);

} // namespace umber::compile

#endif // UMBER_TOOLS_UMBER_COMPILE_MODELDESCRIPTION_H
