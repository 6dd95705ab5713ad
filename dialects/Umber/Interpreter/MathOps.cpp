// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The math dialect's element-wise ops, in f32.

#include "dialects/Umber/Interpreter/Elementwise.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <cmath>

using namespace mlir;

namespace umber::interp {

void registerMathOps(OpRegistry &registry) {
  addFloatOp<math::AbsFOp>(registry, +[](float x) { return std::fabs(x); });
  addFloatOp<math::CosOp>(registry, +[](float x) { return std::cos(x); });
  addFloatOp<math::ErfOp>(registry, +[](float x) { return std::erf(x); });
  addFloatOp<math::ExpOp>(registry, +[](float x) { return std::exp(x); });
  addFloatOp<math::LogOp>(registry, +[](float x) { return std::log(x); });
  addFloatOp<math::RoundEvenOp>(
      registry, +[](float x) { return std::nearbyint(x); });
  addFloatOp<math::RsqrtOp>(
      registry, +[](float x) { return 1.0f / std::sqrt(x); });
  addFloatOp<math::SinOp>(registry, +[](float x) { return std::sin(x); });
  addFloatOp<math::SqrtOp>(registry, +[](float x) { return std::sqrt(x); });
  addFloatOp<math::TanhOp>(registry, +[](float x) { return std::tanh(x); });
}

} // namespace umber::interp
