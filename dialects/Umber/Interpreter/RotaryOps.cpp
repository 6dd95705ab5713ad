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

/// How much of the unscaled frequency `f` stays when a context of `L` tokens is
/// stretched: 1 for wavelengths below L / high, 0 for those above L / low, and
/// in between linear in L / wavelength. This is Llama 3.1's blend, and YaRN's
/// ramp with alpha = low and beta = high.
static double unscaledShare(double f, RopeScalingAttr scaling) {
  double wavelength = 2.0 * llvm::numbers::pi / f;
  double turns = double(scaling.getOriginalContext()) / wavelength;
  double low = scaling.getLowFreqFactor().getValueAsDouble();
  double high = scaling.getHighFreqFactor().getValueAsDouble();
  if (turns > high) {
    return 1.0;
  }
  return turns < low ? 0.0 : (turns - low) / (high - low);
}

static double scaleFrequency(double f, RopeScalingAttr scaling) {
  if (!scaling) {
    return f;
  }
  double factor = scaling.getFactor().getValueAsDouble();
  if (scaling.getKind() == RopeScalingKind::Linear) {
    return f / factor;
  }
  double share = unscaledShare(f, scaling);
  return (1.0 - share) * f / factor + share * f;
}

/// The rotation per position of each pair, in radians.
static FailureOr<std::vector<double>> pairFrequencies(RotaryOp op,
                                                      Frame &frame) {
  int64_t dims = op.getRotatedDims();
  double base = op.getBase().convertToFloat();
  std::vector<double> frequencies(dims / 2);
  for (auto [i, frequency] : llvm::enumerate(frequencies)) {
    double unscaled = std::pow(base, -2.0 * double(i) / double(dims));
    frequency = scaleFrequency(unscaled, op.getScalingAttr());
  }
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

/// What sines and cosines are multiplied by.
static float magnitude(RopeScalingAttr scaling) {
  bool hasFactor = scaling && scaling.getKind() == RopeScalingKind::Yarn &&
                   scaling.getAttentionFactor();
  return hasFactor ? scaling.getAttentionFactor().getValueAsDouble() : 1.0;
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
  float scale = magnitude(op.getScalingAttr());
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
