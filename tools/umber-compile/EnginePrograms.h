// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_COMPILE_ENGINEPROGRAMS_H
#define UMBER_TOOLS_UMBER_COMPILE_ENGINEPROGRAMS_H

#include "targets/NPU/NPUTarget.h"
#include "llvm/Support/Error.h"

namespace umber::compile {

/// Writes the programs of a model for a neural engine as text.
llvm::Error writePrograms(const npu::CompiledModel &compiled,
                          llvm::StringRef path);

} // namespace umber::compile

#endif // UMBER_TOOLS_UMBER_COMPILE_ENGINEPROGRAMS_H
