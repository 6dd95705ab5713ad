// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Interpreter/Evaluation.h"
#include <limits>

using namespace mlir;
using mlir::umber::ParamOp;

namespace umber::interp {

LogicalResult Frame::set(OpResult result, Value value) {
  if (!value.fits(result.getType())) {
    return result.getOwner()->emitOpError("expected a result of type ")
           << result.getType() << ", found " << value.describe();
  }
  values.insert_or_assign(result, std::move(value));
  return success();
}

void Frame::releaseOperands(Operation *op) {
  for (mlir::Value operand : op->getOperands()) {
    if (!isa<RankedTensorType>(operand.getType())) {
      continue;
    }
    bool isLast = llvm::all_of(operand.getUsers(), [&](Operation *user) {
      return user == op || user->isBeforeInBlock(op);
    });
    if (isLast) {
      values.erase(operand);
    }
  }
}

FailureOr<Tensor> Frame::allocate(Operation *op, Type elementType,
                                  ArrayRef<int64_t> shape) const {
  if (!Tensor::isSupported(elementType)) {
    return op->emitOpError("expected elements of f32, f16, bf16, index or an "
                           "integer of 1 to 64 bits, found ")
           << elementType;
  }
  if (Tensor::countElements(shape) < 0) {
    return op->emitOpError("expected sizes of at least 0 and at most ")
           << Tensor::kMaxElements << " elements, found (" << shape << ")";
  }
  return Tensor::zeros(elementType, shape);
}

FailureOr<int64_t> Frame::position(Operation *op, mlir::Value operand) const {
  int64_t position = integer(operand);
  if (position < 0 || position > std::numeric_limits<int32_t>::max()) {
    return op->emitOpError("expected a position from 0 to 2147483647, found ")
           << position;
  }
  return position;
}

ParamOp Frame::param(Operation *op, FlatSymbolRefAttr symbol) const {
  return state.symbols.lookupNearestSymbolFrom<ParamOp>(op, symbol.getAttr());
}

FailureOr<ArrayRef<float>> Frame::elements(Operation *op,
                                           FlatSymbolRefAttr symbol) const {
  return state.parameters.read(op, param(op, symbol));
}

} // namespace umber::interp
