// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Verifier.h"
#include "targets/CPU/CPUTarget.h"
#include "targets/CPU/KernelEmitter.h"

using namespace mlir;

namespace umber::cpu {

FailureOr<LoweredModel> lowerToLoops(ModuleOp module) {
  module.getContext()
      ->loadDialect<math::MathDialect, memref::MemRefDialect, scf::SCFDialect,
                    vector::VectorDialect>();
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

} // namespace umber::cpu
