// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/NPU/Transforms/Passes.h"
#include "runtime/drivers/npu/isa/Checker.h"

#define DEBUG_TYPE "npu-check"

using namespace mlir;

namespace umber {

#define GEN_PASS_DEF_NPUCHECKPASS
#include "dialects/NPU/Transforms/Passes.h.inc"

namespace {

struct NPUCheck : impl::NPUCheckPassBase<NPUCheck> {
  using NPUCheckPassBase::NPUCheckPassBase;

  void runOnOperation() override {
    mlir::npu::ProgramOp op = getOperation();
    StringRef name = device.empty() ? op.getDevice().value_or("")
                                    : StringRef(device.getValue());
    if (name.empty()) {
      op.emitOpError("expected a device, as its attribute or as an option of "
                     "the pass");
      return signalPassFailure();
    }
    auto config = npu::loadConfig(name.str());
    if (!config.ok()) {
      op.emitOpError(config.status().message());
      return signalPassFailure();
    }
    npu::Registers registers = {};
    registers[npu::kPosition] = position;
    registers[npu::kTokens] = tokens;
    registers[npu::kCapacity] = capacity;
    registers[npu::kOutputs] = outputs;
    npu::RegionSizes sizes = {codeBytes,   weightsBytes, adaptersBytes,
                              tablesBytes, cacheBytes,   activationsBytes,
                              ioBytes};
    SmallVector<mlir::Operation *> ops;
    npu::Finding finding =
        npu::findConflict(op.getProgram(&ops), *config, registers, sizes);
    if (finding.ok()) {
      return;
    }
    mlir::Operation *where =
        finding.instruction ? ops[*finding.instruction] : op.getOperation();
    InFlightDiagnostic error = where->emitOpError(finding.message);
    if (finding.other) {
      error.attachNote(ops[*finding.other]->getLoc())
          << "the other instruction";
    }
    signalPassFailure();
  }
};

} // namespace

} // namespace umber
