// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The low-rank adapters that a command line names.

#ifndef UMBER_TOOLS_UMBER_INTERP_ADAPTERS_H
#define UMBER_TOOLS_UMBER_INTERP_ADAPTERS_H

#include "dialects/Umber/Interpreter/Value.h"
#include "dialects/Umber/Parameters/ParameterStore.h"
#include "mlir/IR/BuiltinOps.h"

namespace umber::interp {

/// Reads adapters, each PATH[:SCALE], into matrices of f32 in the bases of the
/// module's weights. A module that takes no adapters is made to first, by
/// umber-attach-adapters. Fails with one line, or a diagnostic and an error
/// without text.
llvm::Expected<AdaptersRef> loadAdapters(mlir::ModuleOp module,
                                         const ParameterStore *store,
                                         llvm::ArrayRef<std::string> specs);

} // namespace umber::interp

#endif // UMBER_TOOLS_UMBER_INTERP_ADAPTERS_H
