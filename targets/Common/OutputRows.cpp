// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/Common/OutputRows.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber {

/// Whether a number of rows inside a kernel is the step's number of outputs.
static bool isOutputCount(KernelOp kernel, OpFoldResult size) {
  auto argument = dyn_cast_if_present<BlockArgument>(dyn_cast<Value>(size));
  if (!argument || argument.getOwner() != &kernel.getBody().front()) {
    return false;
  }
  auto outer =
      dyn_cast<BlockArgument>(kernel.getInputs()[argument.getArgNumber()]);
  return outer && isa<func::FuncOp>(outer.getOwner()->getParentOp()) &&
         outer.getArgNumber() == 2;
}

LogicalResult OutputRows::visit(KernelOp kernel) {
  Block &body = kernel.getBody().front();
  for (auto [argument, input] :
       llvm::zip(body.getArguments(), kernel.getInputs())) {
    if (values.contains(input)) {
      values.insert(argument);
    }
  }
  // Rows whose number is neither that of outputs nor that of tokens.
  llvm::DenseSet<Value> others;
  for (Operation &op : body.without_terminator()) {
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
      bool areOutputs = isOutputCount(kernel, slice.getMixedSizes()[0]);
      (areOutputs ? values : others).insert(slice.getResult());
      continue;
    }
    for (Value operand : op.getOperands()) {
      for (llvm::DenseSet<Value> *set : {&values, &others}) {
        if (isa<RankedTensorType>(operand.getType()) &&
            set->contains(operand)) {
          set->insert_range(op.getResults());
        }
      }
    }
  }
  auto yield = cast<YieldOp>(body.getTerminator());
  for (auto [value, result] :
       llvm::zip(yield.getValues(), kernel.getResults())) {
    if (others.contains(value)) {
      return kernel.emitOpError("expected results with a row for each token or "
                                "for each output, found another number");
    }
    if (values.contains(value)) {
      values.insert(result);
    }
  }
  return success();
}

FailureOr<OutputRows> OutputRows::find(func::FuncOp function) {
  OutputRows rows;
  for (auto kernel : function.getBody().getOps<KernelOp>()) {
    if (failed(rows.visit(kernel))) {
      return failure();
    }
  }
  return rows;
}

} // namespace umber
