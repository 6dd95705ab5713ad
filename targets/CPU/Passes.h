// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TARGETS_CPU_PASSES_H
#define UMBER_TARGETS_CPU_PASSES_H

#include "mlir/Pass/Pass.h"

namespace umber {

#define GEN_PASS_DECL
#include "targets/CPU/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "targets/CPU/Passes.h.inc"

} // namespace umber

#endif // UMBER_TARGETS_CPU_PASSES_H
