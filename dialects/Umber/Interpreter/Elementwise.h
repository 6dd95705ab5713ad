// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ops that do the same to each element. Internal to the interpreter.

#ifndef UMBER_DIALECTS_UMBER_INTERPRETER_ELEMENTWISE_H
#define UMBER_DIALECTS_UMBER_INTERPRETER_ELEMENTWISE_H

#include "dialects/Umber/Interpreter/Evaluation.h"
#include "mlir/IR/TypeUtilities.h"

namespace umber::interp {

inline mlir::LogicalResult
requireEqualShapes(mlir::Operation *op, const Tensor &a, const Tensor &b) {
  if (a.getShape() != b.getShape()) {
    return op->emitOpError("expected operands of equal shapes, found ")
           << a.describe() << " and " << b.describe();
  }
  return mlir::success();
}

/// Sets `op`'s result to `function` of each pair of the operands' integers.
inline mlir::LogicalResult mapIntegers(mlir::Operation *op, Frame &frame,
                                       int64_t (*function)(int64_t, int64_t)) {
  const Tensor &a = frame.tensor(op->getOperand(0));
  const Tensor &b = frame.tensor(op->getOperand(1));
  auto result = frame.allocate(op, a.getElementType(), a.getShape());
  if (failed(requireEqualShapes(op, a, b)) || failed(result)) {
    return mlir::failure();
  }
  for (auto [out, x, y] : llvm::zip(result->integersForWriting(),
                                    a.getIntegers(), b.getIntegers())) {
    out = wrapTo(function(x, y), a.getElementType());
  }
  return frame.set(op->getResult(0), *result);
}

template <typename OpT>
void addIntegerOp(OpRegistry &registry, int64_t (*function)(int64_t, int64_t)) {
  registry.add<OpT>([function](OpT op, Frame &frame) {
    return mapIntegers(op, frame, function);
  });
}

/// A floating-point op of one operand. The result is rounded to its element
/// type from f32.
template <typename OpT>
void addFloatOp(OpRegistry &registry, float (*function)(float)) {
  registry.add<OpT>([function](OpT op, Frame &frame) -> mlir::LogicalResult {
    const Tensor &x = frame.tensor(op->getOperand(0));
    auto result = frame.allocate(op, x.getElementType(), x.getShape());
    if (failed(result)) {
      return mlir::failure();
    }
    for (auto [out, in] :
         llvm::zip(result->floatsForWriting(), x.getFloats())) {
      out = function(in);
    }
    result->roundElements();
    return frame.set(op->getResult(0), *result);
  });
}

/// A floating-point op of two operands.
template <typename OpT>
void addFloatOp(OpRegistry &registry, float (*function)(float, float)) {
  registry.add<OpT>([function](OpT op, Frame &frame) -> mlir::LogicalResult {
    const Tensor &a = frame.tensor(op->getOperand(0));
    const Tensor &b = frame.tensor(op->getOperand(1));
    auto result = frame.allocate(op, a.getElementType(), a.getShape());
    if (failed(requireEqualShapes(op, a, b)) || failed(result)) {
      return mlir::failure();
    }
    for (auto [out, x, y] :
         llvm::zip(result->floatsForWriting(), a.getFloats(), b.getFloats())) {
      out = function(x, y);
    }
    result->roundElements();
    return frame.set(op->getResult(0), *result);
  });
}

} // namespace umber::interp

#endif // UMBER_DIALECTS_UMBER_INTERPRETER_ELEMENTWISE_H
