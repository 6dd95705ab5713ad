// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls and kernels. Terminators are the business of evaluateBlock.

#include "dialects/Umber/Interpreter/Evaluation.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::interp {

static SmallVector<Value> operandValues(Operation *op, Frame &frame) {
  SmallVector<Value> values;
  for (mlir::Value operand : op->getOperands()) {
    values.push_back(frame.get(operand));
  }
  return values;
}

static LogicalResult setResults(Operation *op, Frame &frame,
                                FailureOr<SmallVector<Value>> values) {
  if (failed(values)) {
    return failure();
  }
  for (auto [result, value] : llvm::zip(op->getResults(), *values)) {
    if (failed(frame.set(result, value))) {
      return failure();
    }
  }
  return success();
}

static LogicalResult evaluateCallOp(func::CallOp op, Frame &frame) {
  auto callee =
      frame.state.symbols.lookupNearestSymbolFrom<FunctionOpInterface>(
          op, op.getCalleeAttr());
  return setResults(
      op, frame,
      evaluateCall(frame.state, callee, operandValues(op, frame), op.getLoc()));
}

static LogicalResult evaluateKernel(KernelOp op, Frame &frame) {
  return setResults(op, frame,
                    evaluateBlock(frame.state, op.getBody().front(),
                                  operandValues(op, frame)));
}

void registerControlOps(OpRegistry &registry) {
  registry.add<func::CallOp>(evaluateCallOp);
  registry.add<KernelOp>(evaluateKernel);
}

} // namespace umber::interp
