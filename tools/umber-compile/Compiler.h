// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_COMPILE_COMPILER_H
#define UMBER_TOOLS_UMBER_COMPILE_COMPILER_H

#include "mlir/IR/MLIRContext.h"
#include "tools/umber-compile/Options.h"

namespace umber::compile {

/// Does what the command line asks for. Errors are one line that names the file
/// at fault.
llvm::Error compile(mlir::MLIRContext &context, const Options &options);

} // namespace umber::compile

#endif // UMBER_TOOLS_UMBER_COMPILE_COMPILER_H
