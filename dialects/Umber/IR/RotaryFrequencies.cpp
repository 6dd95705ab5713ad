// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The frequencies of rotary position embedding, for every target and the
// interpreter. Formulas are in the descriptions of `umber.rotary` and
// `#umber.rope_scaling`.

#include "dialects/Umber/IR/UmberOps.h"
#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace mlir::umber;

namespace {

constexpr double kTwoPi = 6.283185307179586476925;

double valueOr(FloatAttr attr, double otherwise) {
  return attr ? attr.getValueAsDouble() : otherwise;
}

/// A frequency stretched as the attribute's description says.
double scaleFrequency(RopeScalingAttr scaling, double frequency, double pair,
                      double base, double dims) {
  double factor = scaling.getFactor().getValueAsDouble();
  double low = valueOr(scaling.getLowFreqFactor(), 0.0);
  double high = valueOr(scaling.getHighFreqFactor(), 0.0);
  double length = double(scaling.getOriginalContext());
  switch (scaling.getKind()) {
  case RopeScalingKind::Linear:
    return frequency / factor;
  case RopeScalingKind::Llama3: {
    double turns = length * frequency / kTwoPi;
    double blend = (turns - low) / (high - low);
    blend = std::min(std::max(blend, 0.0), 1.0);
    return blend * frequency + (1.0 - blend) * frequency / factor;
  }
  case RopeScalingKind::Yarn: {
    // The pair whose frequency turns `turns` times over the original context.
    auto pairOf = [&](double turns) {
      return dims * std::log(length / (turns * kTwoPi)) /
             (2.0 * std::log(base));
    };
    double begin = std::max(std::floor(pairOf(high)), 0.0);
    double end = std::min(std::ceil(pairOf(low)), dims / 2.0 - 1.0);
    double ramp = (pair - begin) / std::max(end - begin, 1e-3);
    ramp = std::min(std::max(ramp, 0.0), 1.0);
    return frequency / factor * ramp + frequency * (1.0 - ramp);
  }
  }
  llvm_unreachable("a scaling of no kind");
}

} // namespace

SmallVector<double> RotaryOp::getFrequencies() {
  double dims = double(getRotatedDims());
  double base = getBase().convertToFloat();
  SmallVector<double> frequencies;
  for (int64_t i = 0; i < getRotatedDims() / 2; ++i) {
    double frequency = std::pow(base, -2.0 * double(i) / dims);
    if (RopeScalingAttr scaling = getScalingAttr()) {
      frequency = scaleFrequency(scaling, frequency, i, base, dims);
    }
    frequencies.push_back(frequency);
  }
  return frequencies;
}

double RotaryOp::getMagnitude() {
  RopeScalingAttr scaling = getScalingAttr();
  bool hasFactor = scaling && scaling.getKind() == RopeScalingKind::Yarn;
  return hasFactor ? valueOr(scaling.getAttentionFactor(), 1.0) : 1.0;
}
