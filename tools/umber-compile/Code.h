// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_COMPILE_CODE_H
#define UMBER_TOOLS_UMBER_COMPILE_CODE_H

#include "targets/Common/CompiledTarget.h"
#include "tools/umber-compile/Options.h"

namespace umber::compile {

/// Writes kernels, converted to LLVM already, to a file as LLVM IR, assembly or
/// an object.
llvm::Error writeCode(mlir::ModuleOp kernels, const cpu::InstructionSet &isa,
                      Emit emit, llvm::StringRef path);

/// The libraries of such kernels that a package holds, one for each instruction
/// set, made on llvm::parallelFor's threads.
llvm::Expected<std::vector<CodeVariant>>
buildVariants(mlir::ModuleOp kernels,
              llvm::ArrayRef<const cpu::InstructionSet *> isas);

} // namespace umber::compile

#endif // UMBER_TOOLS_UMBER_COMPILE_CODE_H
