// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// umber.rotary.

#include "dialects/Umber/Interpreter/Evaluation.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace mlir::umber;

namespace umber::interp {

/// The rotation per position of each pair, in radians.
static FailureOr<SmallVector<double>> pairFrequencies(RotaryOp op,
                                                      Frame &frame) {
  SmallVector<double> frequencies = op.getFrequencies();
  if (op.getFactorsAttr()) {
    auto factors = frame.elements(op, op.getFactorsAttr());
    if (failed(factors)) {
      return failure();
    }
    for (auto [frequency, factor] : llvm::zip(frequencies, *factors)) {
      frequency /= factor;
    }
  }
  return frequencies;
}

static LogicalResult evaluateRotary(RotaryOp op, Frame &frame) {
#pragma clang fp contract(off)
  const Tensor &x = frame.tensor(op.getX());
  auto pos = frame.position(op, op.getPos());
  auto frequencies = pairFrequencies(op, frame);
  if (failed(pos) || failed(frequencies)) {
    return failure();
  }
  // Elements that are not rotated stay.
  Tensor result =
      Tensor::ofFloats(x.getElementType(), x.getShape(), x.getFloats().vec());
  int64_t heads = op.getHeads(), headDim = op.getHeadDim();
  int64_t pairs = frequencies->size();
  bool isHalf = op.getStyle() == RotaryStyle::Half;
  float scale = op.getMagnitude();
  std::vector<float> cosines(pairs), sines(pairs);
  for (int64_t t = 0; t < x.getDim(0); ++t) {
    for (int64_t i = 0; i < pairs; ++i) {
      double angle = double(*pos + t) * (*frequencies)[i];
      cosines[i] = static_cast<float>(std::cos(angle)) * scale;
      sines[i] = static_cast<float>(std::sin(angle)) * scale;
    }
    for (int64_t h = 0; h < heads; ++h) {
      float *head =
          result.floatsForWriting().data() + (t * heads + h) * headDim;
      for (int64_t i = 0; i < pairs; ++i) {
        float &first = head[isHalf ? i : 2 * i];
        float &second = head[isHalf ? i + pairs : 2 * i + 1];
        float a = first, b = second;
        first = a * cosines[i] - b * sines[i];
        second = a * sines[i] + b * cosines[i];
      }
    }
  }
  return frame.set(op->getResult(0), result);
}

void registerRotaryOps(OpRegistry &registry) {
  registry.add<RotaryOp>(evaluateRotary);
}

} // namespace umber::interp
