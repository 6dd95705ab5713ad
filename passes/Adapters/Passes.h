// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_PASSES_ADAPTERS_PASSES_H
#define UMBER_PASSES_ADAPTERS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace umber {

#define GEN_PASS_DECL
#include "passes/Adapters/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/Adapters/Passes.h.inc"

} // namespace umber

#endif // UMBER_PASSES_ADAPTERS_PASSES_H
