// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// umber.linear and umber.lora.

#include "dialects/Umber/Interpreter/Dot.h"
#include "dialects/Umber/Interpreter/Evaluation.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::interp {

/// The product of a weight row with row `t` of a quantized operand: exact
/// within a group, where the weight's elements are integers times one scale,
/// because double holds such sums; groups are added in f32.
static float dotQuantized(const float *weight, const QuantizedRows &x,
                          int64_t t, int64_t columns) {
#pragma clang fp contract(off)
  int64_t groups = columns / x.group;
  float sum = 0.0f;
  for (int64_t g = 0; g < groups; ++g) {
    const int8_t *values = x.values.data() + t * columns + g * x.group;
    double groupSum = 0.0;
    for (int64_t i = 0; i < x.group; ++i) {
      groupSum += double(weight[g * x.group + i]) * values[i];
    }
    sum += static_cast<float>(groupSum * x.scales[t * groups + g]);
  }
  return sum;
}

static LogicalResult evaluateLinear(LinearOp op, Frame &frame) {
  const Tensor &x = frame.tensor(op.getX());
  int64_t tokens = x.getDim(0), inputs = x.getDim(1);
  ParamOp weight = frame.param(op, op.getWeightAttr());
  int64_t outputs = weight.getTensorType().getDimSize(0);
  if (weight.getTensorType().getDimSize(1) != inputs) {
    return op.emitOpError("expected x with ")
           << weight.getTensorType().getDimSize(1) << " columns, found "
           << x.describe();
  }
  auto result =
      frame.allocate(op, op.getType().getElementType(), {tokens, outputs});
  if (failed(result)) {
    return failure();
  }
  ArrayRef<float> bias;
  if (op.getBiasAttr()) {
    auto elements = frame.elements(op, op.getBiasAttr());
    if (failed(elements)) {
      return failure();
    }
    bias = *elements;
  }
  const float *in = x.getFloats().data();
  const QuantizedRows *quantized = x.getQuantized();
  float *out = result->floatsForWriting().data();
  auto multiply = [&](int64_t first, ArrayRef<float> rows) {
    int64_t count = inputs == 0 ? 0 : rows.size() / inputs;
    for (int64_t r = 0; r < count; ++r) {
      const float *row = rows.data() + r * inputs;
      for (int64_t t = 0; t < tokens; ++t) {
        float product = quantized ? dotQuantized(row, *quantized, t, inputs)
                                  : dot(row, in + t * inputs, inputs);
        out[t * outputs + first + r] =
            product + (bias.empty() ? 0.0f : bias[first + r]);
      }
    }
  };
  if (failed(frame.state.parameters.forEachBlock(op, weight, 0, outputs,
                                                 multiply))) {
    return failure();
  }
  return frame.set(op->getResult(0), *result);
}

/// Adds pair.scale * B (A x) to the rows `out`.
static LogicalResult addLowRank(LoraOp op, const LowRankPair &pair,
                                const Tensor &x, Tensor &result) {
  int64_t tokens = x.getDim(0), inputs = x.getDim(1);
  int64_t outputs = result.getDim(1), rank = pair.a.getDim(0);
  if (pair.a.getDim(1) != inputs || pair.b.getDim(0) != outputs) {
    return op.emitOpError("expected an adapter with A of ")
           << rank << "x" << inputs << " and B of " << outputs << "x" << rank
           << ", found " << pair.a.describe() << " and " << pair.b.describe();
  }
  const float *a = pair.a.getFloats().data();
  const float *b = pair.b.getFloats().data();
  std::vector<float> inner(rank);
  for (int64_t t = 0; t < tokens; ++t) {
    const float *row = x.getFloats().data() + t * inputs;
    for (int64_t r = 0; r < rank; ++r) {
      inner[r] = dot(a + r * inputs, row, inputs);
    }
    float *out = result.floatsForWriting().data() + t * outputs;
    for (int64_t o = 0; o < outputs; ++o) {
      out[o] += pair.scale * dot(b + o * rank, inner.data(), rank);
    }
  }
  return success();
}

/// Adds B (A x) of the site's own correction; B is kept transposed.
static LogicalResult addCorrection(LoraOp op, LowRankAttr correction,
                                   Frame &frame, const Tensor &x,
                                   Tensor &result) {
  auto a = frame.elements(op, correction.getA());
  auto b = frame.elements(op, correction.getB());
  if (failed(a) || failed(b)) {
    return failure();
  }
  int64_t tokens = x.getDim(0), inputs = x.getDim(1);
  int64_t outputs = result.getDim(1);
  int64_t rank =
      frame.param(op, correction.getA()).getTensorType().getDimSize(0);
  if (int64_t(a->size()) != rank * inputs ||
      int64_t(b->size()) != rank * outputs) {
    return op.emitOpError("expected x and y as wide as the correction of its "
                          "site, found ")
           << x.describe() << " and " << result.describe();
  }
  float *out = result.floatsForWriting().data();
  for (int64_t t = 0; t < tokens; ++t, out += outputs) {
    const float *row = x.getFloats().data() + t * inputs;
    std::vector<float> sums(outputs);
    for (int64_t r = 0; r < rank; ++r) {
      float inner = dot(a->data() + r * inputs, row, inputs);
      for (int64_t o = 0; o < outputs; ++o) {
        sums[o] += (*b)[r * outputs + o] * inner;
      }
    }
    for (int64_t o = 0; o < outputs; ++o) {
      out[o] += sums[o];
    }
  }
  return success();
}

static LogicalResult evaluateLora(LoraOp op, Frame &frame) {
  const Tensor &y = frame.tensor(op.getY());
  const Tensor &x = frame.tensor(op.getX());
  const Adapters &adapters = *frame.get(op.getAdapters()).getAdapters();
  if (x.getDim(0) != y.getDim(0)) {
    return op.emitOpError("expected x and y with equally many rows, found ")
           << x.describe() << " and " << y.describe();
  }
  Tensor result =
      Tensor::ofFloats(y.getElementType(), y.getShape(), y.getFloats().vec());
  LowRankAttr correction = op.getRecovery();
  if (correction && failed(addCorrection(op, correction, frame, x, result))) {
    return failure();
  }
  for (const LowRankPair &pair : adapters.getPairs(op.getSite())) {
    if (failed(addLowRank(op, pair, x, result))) {
      return failure();
    }
  }
  return frame.set(op->getResult(0), result);
}

void registerLinearOps(OpRegistry &registry) {
  registry.add<LinearOp>(evaluateLinear);
  registry.add<LoraOp>(evaluateLora);
}

} // namespace umber::interp
