// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arith dialect's element-wise ops, on scalars and tensors alike.

#include "dialects/Umber/Interpreter/Elementwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include <cmath>

using namespace mlir;

namespace umber::interp {

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

static LogicalResult evaluateConstant(arith::ConstantOp op, Frame &frame) {
  std::optional<Tensor> value;
  if (auto elements = dyn_cast<ElementsAttr>(op.getValue())) {
    value = Tensor::ofAttribute(elements);
  } else if (Tensor::isSupported(op.getType())) {
    if (auto number = dyn_cast<IntegerAttr>(op.getValue())) {
      value = Tensor::ofInteger(op.getType(), number.getValue().getSExtValue());
    } else if (auto number = dyn_cast<FloatAttr>(op.getValue())) {
      value = Tensor::ofFloat(op.getType(), number.getValueAsDouble());
    }
  }
  if (!value) {
    return op.emitOpError("expected a dense value of f32, f16, bf16, index or "
                          "integer elements, found one of type ")
           << op.getType();
  }
  return frame.set(op->getResult(0), *value);
}

//===----------------------------------------------------------------------===//
// Integer arithmetic
//===----------------------------------------------------------------------===//

/// Wrapping arithmetic, which signed overflow in C++ is not.
static int64_t add(int64_t a, int64_t b) { return uint64_t(a) + uint64_t(b); }
static int64_t subtract(int64_t a, int64_t b) {
  return uint64_t(a) - uint64_t(b);
}
static int64_t multiply(int64_t a, int64_t b) {
  return uint64_t(a) * uint64_t(b);
}

/// Division is defined unless it divides by zero or overflows.
template <typename OpT>
static void addDivision(OpRegistry &registry,
                        int64_t (*divide)(int64_t, int64_t)) {
  registry.add<OpT>([divide](OpT op, Frame &frame) -> LogicalResult {
    const Tensor &a = frame.tensor(op.getLhs());
    const Tensor &b = frame.tensor(op.getRhs());
    if (failed(requireEqualShapes(op, a, b))) {
      return failure();
    }
    for (auto [x, y] : llvm::zip(a.getIntegers(), b.getIntegers())) {
      if (y == 0) {
        return op.emitOpError("divides by zero");
      }
      if (y == -1 && wrapTo(subtract(0, x), a.getElementType()) == x &&
          x != 0) {
        return op.emitOpError("overflows");
      }
    }
    return mapIntegers(op, frame, divide);
  });
}

//===----------------------------------------------------------------------===//
// Comparison and selection
//===----------------------------------------------------------------------===//

static LogicalResult evaluateCmpI(arith::CmpIOp op, Frame &frame) {
  const Tensor &a = frame.tensor(op.getLhs());
  const Tensor &b = frame.tensor(op.getRhs());
  auto result =
      frame.allocate(op, getElementTypeOrSelf(op.getType()), a.getShape());
  if (failed(requireEqualShapes(op, a, b)) || failed(result)) {
    return failure();
  }
  Type type = a.getElementType();
  unsigned width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  for (int64_t i = 0; i < a.getNumElements(); ++i) {
    APInt x(width, a.getIntegers()[i], /*isSigned=*/true,
            /*implicitTrunc=*/true);
    APInt y(width, b.getIntegers()[i], /*isSigned=*/true,
            /*implicitTrunc=*/true);
    result->integersForWriting()[i] =
        arith::applyCmpPredicate(op.getPredicate(), x, y);
  }
  return frame.set(op->getResult(0), *result);
}

static LogicalResult evaluateCmpF(arith::CmpFOp op, Frame &frame) {
  const Tensor &a = frame.tensor(op.getLhs());
  const Tensor &b = frame.tensor(op.getRhs());
  auto result =
      frame.allocate(op, getElementTypeOrSelf(op.getType()), a.getShape());
  if (failed(requireEqualShapes(op, a, b)) || failed(result)) {
    return failure();
  }
  for (int64_t i = 0; i < a.getNumElements(); ++i) {
    result->integersForWriting()[i] =
        arith::applyCmpPredicate(op.getPredicate(), APFloat(a.getFloats()[i]),
                                 APFloat(b.getFloats()[i]));
  }
  return frame.set(op->getResult(0), *result);
}

static LogicalResult evaluateSelect(arith::SelectOp op, Frame &frame) {
  const Tensor &condition = frame.tensor(op.getCondition());
  const Value &whenTrue = frame.get(op.getTrueValue());
  const Value &whenFalse = frame.get(op.getFalseValue());
  if (condition.getRank() == 0) {
    return frame.set(op->getResult(0),
                     condition.getIntegers()[0] ? whenTrue : whenFalse);
  }
  const Tensor &a = *whenTrue.getTensor();
  const Tensor &b = *whenFalse.getTensor();
  auto result = frame.allocate(op, a.getElementType(), a.getShape());
  if (failed(requireEqualShapes(op, a, b)) ||
      failed(requireEqualShapes(op, a, condition)) || failed(result)) {
    return failure();
  }
  for (int64_t i = 0; i < a.getNumElements(); ++i) {
    const Tensor &chosen = condition.getIntegers()[i] ? a : b;
    if (a.isFloat()) {
      result->floatsForWriting()[i] = chosen.getFloats()[i];
    } else {
      result->integersForWriting()[i] = chosen.getIntegers()[i];
    }
  }
  return frame.set(op->getResult(0), *result);
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

/// A conversion between integer types: to the result's width, by sign or by
/// zero extension.
template <typename OpT>
static void addIntegerCast(OpRegistry &registry, bool isSigned) {
  registry.add<OpT>([isSigned](OpT op, Frame &frame) -> LogicalResult {
    const Tensor &x = frame.tensor(op->getOperand(0));
    Type from = x.getElementType();
    Type to = getElementTypeOrSelf(op->getResult(0).getType());
    std::vector<int64_t> elements = x.getIntegers().vec();
    unsigned width = from.isIndex() ? 64 : from.getIntOrFloatBitWidth();
    for (int64_t &element : elements) {
      if (isSigned) {
        element = llvm::SignExtend64(element, width);
      } else if (width < 64) {
        element &= (int64_t(1) << width) - 1;
      }
    }
    if (!Tensor::isSupported(to)) {
      // Says that the type is not supported.
      return failure(failed(frame.allocate(op, to, {})));
    }
    return frame.set(op->getResult(0),
                     Tensor::ofIntegers(to, x.getShape(), std::move(elements)));
  });
}

/// A conversion between floating-point types, which are all held as f32.
template <typename OpT>
static void addFloatCast(OpRegistry &registry) {
  registry.add<OpT>([](OpT op, Frame &frame) -> LogicalResult {
    const Tensor &x = frame.tensor(op->getOperand(0));
    auto result = frame.allocate(
        op, getElementTypeOrSelf(op->getResult(0).getType()), x.getShape());
    if (failed(result)) {
      return failure();
    }
    llvm::copy(x.getFloats(), result->floatsForWriting().begin());
    result->roundElements();
    return frame.set(op->getResult(0), *result);
  });
}

static LogicalResult evaluateSIToFP(arith::SIToFPOp op, Frame &frame) {
  const Tensor &x = frame.tensor(op.getIn());
  auto result =
      frame.allocate(op, getElementTypeOrSelf(op.getType()), x.getShape());
  if (failed(result)) {
    return failure();
  }
  for (auto [out, in] :
       llvm::zip(result->floatsForWriting(), x.getIntegers())) {
    // The one signed value of i1 besides 0 is -1, held as 1.
    out = x.getElementType().isInteger(1) ? float(-in) : float(in);
  }
  result->roundElements();
  return frame.set(op->getResult(0), *result);
}

//===----------------------------------------------------------------------===//
// Registration
//===----------------------------------------------------------------------===//

static float maximum(float a, float b) {
  return std::isnan(a) || std::isnan(b) ? NAN : std::max(a, b);
}
static float minimum(float a, float b) {
  return std::isnan(a) || std::isnan(b) ? NAN : std::min(a, b);
}

void registerArithOps(OpRegistry &registry) {
  registry.add<arith::ConstantOp>(evaluateConstant);
  addFloatOp<arith::AddFOp>(registry, +[](float a, float b) { return a + b; });
  addFloatOp<arith::SubFOp>(registry, +[](float a, float b) { return a - b; });
  addFloatOp<arith::MulFOp>(registry, +[](float a, float b) { return a * b; });
  addFloatOp<arith::DivFOp>(registry, +[](float a, float b) { return a / b; });
  addFloatOp<arith::NegFOp>(registry, +[](float a) { return -a; });
  addFloatOp<arith::MaximumFOp>(registry, maximum);
  addFloatOp<arith::MinimumFOp>(registry, minimum);
  addFloatOp<arith::MaxNumFOp>(
      registry, +[](float a, float b) { return std::fmax(a, b); });
  addFloatOp<arith::MinNumFOp>(
      registry, +[](float a, float b) { return std::fmin(a, b); });

  addIntegerOp<arith::AddIOp>(registry, add);
  addIntegerOp<arith::SubIOp>(registry, subtract);
  addIntegerOp<arith::MulIOp>(registry, multiply);
  addIntegerOp<arith::AndIOp>(
      registry, +[](int64_t a, int64_t b) { return a & b; });
  addIntegerOp<arith::OrIOp>(
      registry, +[](int64_t a, int64_t b) { return a | b; });
  addIntegerOp<arith::XOrIOp>(
      registry, +[](int64_t a, int64_t b) { return a ^ b; });
  addIntegerOp<arith::MaxSIOp>(
      registry, +[](int64_t a, int64_t b) { return std::max(a, b); });
  addIntegerOp<arith::MinSIOp>(
      registry, +[](int64_t a, int64_t b) { return std::min(a, b); });
  addDivision<arith::DivSIOp>(
      registry, +[](int64_t a, int64_t b) { return a / b; });
  addDivision<arith::RemSIOp>(
      registry, +[](int64_t a, int64_t b) { return a % b; });

  registry.add<arith::CmpIOp>(evaluateCmpI);
  registry.add<arith::CmpFOp>(evaluateCmpF);
  registry.add<arith::SelectOp>(evaluateSelect);

  addIntegerCast<arith::IndexCastOp>(registry, /*isSigned=*/true);
  addIntegerCast<arith::IndexCastUIOp>(registry, /*isSigned=*/false);
  addIntegerCast<arith::ExtSIOp>(registry, /*isSigned=*/true);
  addIntegerCast<arith::ExtUIOp>(registry, /*isSigned=*/false);
  addIntegerCast<arith::TruncIOp>(registry, /*isSigned=*/true);
  addFloatCast<arith::ExtFOp>(registry);
  addFloatCast<arith::TruncFOp>(registry);
  registry.add<arith::SIToFPOp>(evaluateSIToFP);
}

} // namespace umber::interp
