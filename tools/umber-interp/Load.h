// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What umber-interp reads. Errors are one line that names the file.

#ifndef UMBER_TOOLS_UMBER_INTERP_LOAD_H
#define UMBER_TOOLS_UMBER_INTERP_LOAD_H

#include "dialects/Umber/Parameters/ParameterStore.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace umber::interp {

/// Reads a model in any format that the compiler imports, or from standard
/// input
/// ("-") a module as text or bytecode.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
loadModule(llvm::StringRef path, mlir::MLIRContext *context);

/// Opens `path`, or, if it is empty, what the module's attributes name;
/// null if they name nothing.
llvm::Expected<std::unique_ptr<ParameterStore>>
openParameters(mlir::ModuleOp module, llvm::StringRef path);

} // namespace umber::interp

#endif // UMBER_TOOLS_UMBER_INTERP_LOAD_H
