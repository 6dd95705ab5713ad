// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/NPU/Translation/ImportProgram.h"
#include "mlir/IR/Builders.h"
#include "runtime/drivers/npu/isa/AnyEngine.h"
#include "runtime/drivers/npu/isa/Verifier.h"

using namespace mlir;

namespace umber::npu {

FailureOr<mlir::npu::ProgramOp> importProgram(ModuleOp module,
                                              const Program &program,
                                              const ProgramInfo &info) {
  if (Status status = verify(program, getAnyEngine(program)); !status.ok()) {
    return module.emitError(status.message());
  }
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  auto op = mlir::npu::ProgramOp::create(
      builder, module.getLoc(), builder.getStringAttr(info.name),
      info.device.empty() ? StringAttr() : builder.getStringAttr(info.device),
      info.kernels.empty() ? ArrayAttr()
                           : builder.getStrArrayAttr(info.kernels));
  builder.setInsertionPointToEnd(&op.getBody().emplaceBlock());
  for (const Instruction &instruction : program) {
    uint32_t id = instruction.operationId;
    Location loc = id != 0 && id <= info.locations.size()
                       ? info.locations[id - 1]
                       : module.getLoc();
    OperationState state = mlir::npu::makeState(loc, instruction);
    bool isLoop = std::holds_alternative<Loop>(instruction.operation);
    if (isLoop) {
      state.addRegion();
    }
    mlir::Operation *made = builder.create(state);
    if (isLoop) {
      builder.setInsertionPointToEnd(&made->getRegion(0).emplaceBlock());
    } else if (std::holds_alternative<EndLoop>(instruction.operation)) {
      builder.setInsertionPointToEnd(made->getParentOp()->getBlock());
    }
  }
  return op;
}

} // namespace umber::npu
