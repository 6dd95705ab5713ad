// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Verifier.h"
#include "targets/CPU/CPUTarget.h"
#include "targets/CPU/KernelEmitter.h"
#include "targets/CPU/Passes.h"

namespace umber {
#define GEN_PASS_DEF_CPULOWERTOLOOPSPASS
#include "targets/CPU/Passes.h.inc"
} // namespace umber

using namespace mlir;

namespace umber::cpu {

FailureOr<LoweredModel> lowerToLoops(ModuleOp module) {
  LoweredModel lowered;
  FailureOr<DispatchPlan> plan = planDispatches(module);
  if (failed(plan)) {
    return failure();
  }
  lowered.plan = std::move(*plan);
  lowered.code = ModuleOp::create(module.getLoc());
  OpBuilder builder = OpBuilder::atBlockEnd(lowered.code->getBody());
  for (const PlannedKernel &kernel : lowered.plan.kernels) {
    KernelEmitter emitter(builder, kernel);
    if (failed(emitter.emit())) {
      return failure();
    }
    lowered.scratchBytes =
        std::max(lowered.scratchBytes, emitter.getScratchBytes());
  }
  if (failed(verify(*lowered.code))) {
    return failure();
  }
  return lowered;
}

namespace {

struct CPULowerToLoops
    : ::umber::impl::CPULowerToLoopsPassBase<CPULowerToLoops> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<LoweredModel> lowered = lowerToLoops(module);
    if (failed(lowered)) {
      // lowerToLoops has said why: an emitError at the op that does not fit.
      return signalPassFailure();
    }
    module.getBodyRegion().takeBody(lowered->code->getBodyRegion());
    for (NamedAttribute attr : llvm::to_vector(module->getDiscardableAttrs())) {
      module->removeAttr(attr.getName());
    }
  }
};

} // namespace

} // namespace umber::cpu
