// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_DIALECTS_NPU_TRANSFORMS_PASSES_H
#define UMBER_DIALECTS_NPU_TRANSFORMS_PASSES_H

#include "dialects/NPU/IR/NPUOps.h"
#include "mlir/Pass/Pass.h"

namespace umber {

#define GEN_PASS_DECL
#include "dialects/NPU/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "dialects/NPU/Transforms/Passes.h.inc"

} // namespace umber

#endif // UMBER_DIALECTS_NPU_TRANSFORMS_PASSES_H
