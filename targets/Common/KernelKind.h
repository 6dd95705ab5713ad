// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TARGETS_COMMON_KERNELKIND_H
#define UMBER_TARGETS_COMMON_KERNELKIND_H

#include "dialects/Umber/IR/UmberOps.h"

namespace umber {

/// `embed`, `qkv`, `attention`, `ffn`, `head` or `other`, for reports: what a
/// kernel's ops say of it, and where its results go.
llvm::StringRef getKernelKind(mlir::umber::KernelOp kernel);

} // namespace umber

#endif // UMBER_TARGETS_COMMON_KERNELKIND_H
