// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// umber.rms_norm and umber.gated_activation.

#include "dialects/Umber/Interpreter/Dot.h"
#include "dialects/Umber/Interpreter/Evaluation.h"
#include <cmath>

using namespace mlir;
using namespace mlir::umber;

namespace umber::interp {

static LogicalResult evaluateRmsNorm(RmsNormOp op, Frame &frame) {
#pragma clang fp contract(off)
  const Tensor &x = frame.tensor(op.getX());
  int64_t heads = op.getHeads();
  if (x.getDim(1) % heads != 0) {
    return op.emitOpError("expected a number of columns that heads = ")
           << heads << " divides, found " << x.describe();
  }
  int64_t length = x.getDim(1) / heads;
  auto weight = frame.elements(op, op.getWeightAttr());
  auto result = frame.allocate(op, x.getElementType(), x.getShape());
  if (failed(weight) || failed(result)) {
    return failure();
  }
  if (int64_t(weight->size()) != length) {
    return op.emitOpError("expected ") << op.getWeightAttr() << " of " << length
                                       << " elements, found " << weight->size();
  }
  float eps = op.getEps().convertToFloat();
  float offset = op.getOffset().convertToFloat();
  float *out = result->floatsForWriting().data();
  for (int64_t vector = 0; vector < x.getDim(0) * heads; ++vector) {
    const float *in = x.getFloats().data() + vector * length;
    float meanSquare = dot(in, in, length) / static_cast<float>(length);
    float root = std::sqrt(meanSquare + eps);
    for (int64_t c = 0; c < length; ++c) {
      out[vector * length + c] = in[c] / root * ((*weight)[c] + offset);
    }
  }
  return frame.set(op->getResult(0), *result);
}

static float silu(float z) { return z / (1.0f + std::exp(-z)); }

static float geluTanh(float z) {
#pragma clang fp contract(off)
  constexpr float kSqrtTwoOverPi = 0.797884560802865f;
  return 0.5f * z *
         (1.0f + std::tanh(kSqrtTwoOverPi * (z + 0.044715f * z * z * z)));
}

static LogicalResult evaluateGatedActivation(GatedActivationOp op,
                                             Frame &frame) {
  const Tensor &gate = frame.tensor(op.getGate());
  const Tensor &up = frame.tensor(op.getUp());
  if (gate.getShape() != up.getShape()) {
    return op.emitOpError("expected gate and up of equal shapes, found ")
           << gate.describe() << " and " << up.describe();
  }
  auto result = frame.allocate(op, gate.getElementType(), gate.getShape());
  if (failed(result)) {
    return failure();
  }
  auto function = op.getFunction() == Activation::SiLU ? silu : geluTanh;
  MutableArrayRef<float> out = result->floatsForWriting();
  for (auto [o, g, u] : llvm::zip(out, gate.getFloats(), up.getFloats())) {
    o = function(g) * u;
  }
  return frame.set(op->getResult(0), *result);
}

void registerLayerOps(OpRegistry &registry) {
  registry.add<RmsNormOp>(evaluateRmsNorm);
  registry.add<GatedActivationOp>(evaluateGatedActivation);
}

} // namespace umber::interp
