// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_PASSES_COMPRESSION_FOREACHPARAM_H
#define UMBER_PASSES_COMPRESSION_FOREACHPARAM_H

#include "dialects/Umber/IR/UmberOps.h"

namespace umber {

/// Told each parameter that is done, from any thread, one at a time.
using ParamReport = llvm::function_ref<void(mlir::umber::ParamOp)>;

/// Calls `function` with each parameter's number on all threads, a parameter on
/// each: rows of a matrix depend on one another. Stops where it fails, and says
/// what it has said of the first parameter that it failed for.
mlir::LogicalResult
forEachParam(llvm::ArrayRef<mlir::umber::ParamOp> params, ParamReport report,
             llvm::function_ref<mlir::LogicalResult(size_t)> function);

} // namespace umber

#endif // UMBER_PASSES_COMPRESSION_FOREACHPARAM_H
