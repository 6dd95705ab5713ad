// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/IR/UmberOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/Verify/Passes.h"

namespace umber {
#define GEN_PASS_DEF_VERIFYFUSEDPASS
#include "passes/Verify/Passes.h.inc"
} // namespace umber

using namespace mlir;
using namespace mlir::umber;

namespace {

struct VerifyFused : ::umber::impl::VerifyFusedPassBase<VerifyFused> {
  void runOnOperation() override {
    if (getOperation().isExternal()) {
      return;
    }
    for (Operation &op : getOperation().getBody().getOps()) {
      if (!isa<KernelOp, func::ReturnOp>(op)) {
        op.emitError("expected every op to be in a kernel");
        return signalPassFailure();
      }
    }
  }
};

} // namespace
