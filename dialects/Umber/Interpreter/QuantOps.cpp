// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// umber.quantize, umber.dequantize, umber.observe and umber.check.

#include "dialects/Umber/Interpreter/Evaluation.h"
#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace mlir::umber;

namespace umber::interp {

static LogicalResult evaluateQuantize(QuantizeOp op, Frame &frame) {
  const Tensor &x = frame.tensor(op.getX());
  auto encoding = cast<QuantizedAttr>(op.getType().getEncoding());
  int64_t columns = x.getDim(1);
  int64_t group = encoding.getGroup() ? encoding.getGroup() : columns;
  auto result = frame.allocate(op, x.getElementType(), x.getShape());
  if (failed(result)) {
    return failure();
  }
  if (group == 0 || columns % group != 0) {
    return op.emitOpError("expected a positive number of columns that group = ")
           << group << " divides, found " << x.describe();
  }
  float range = (1 << (encoding.getBits() - 1)) - 1;
  auto rows = std::make_shared<QuantizedRows>();
  rows->group = group;
  rows->values.resize(x.getNumElements());
  for (int64_t first = 0; first < x.getNumElements(); first += group) {
    ArrayRef<float> in = x.getFloats().slice(first, group);
    float largest = 0.0f;
    for (auto [c, value] : llvm::enumerate(in)) {
      if (!std::isfinite(value)) {
        return op.emitOpError("expected finite elements, found ")
               << formatFloat(value) << " at [" << (first + c) / columns << ", "
               << (first + c) % columns << "]";
      }
      largest = std::max(largest, std::fabs(value));
    }
    float scale = largest / range;
    rows->scales.push_back(scale);
    for (auto [c, value] : llvm::enumerate(in)) {
      // The clamp matters only where the scale is subnormal and thus coarse.
      float q = scale == 0.0f ? 0.0f : std::nearbyint(value / scale);
      rows->values[first + c] = std::clamp(q, -range, range);
      result->floatsForWriting()[first + c] = rows->values[first + c] * scale;
    }
  }
  result->setQuantized(std::move(rows));
  return frame.set(op->getResult(0), *result);
}

static LogicalResult evaluateDequantize(DequantizeOp op, Frame &frame) {
  const Tensor &x = frame.tensor(op.getX());
  return frame.set(op->getResult(0), x.reshaped(x.getShape()));
}

static LogicalResult evaluateObserve(ObserveOp op, Frame &frame) {
  const Tensor &x = frame.tensor(op.getX());
  size_t columns = x.getDim(1);
  if (Tensor::countElements({x.getDim(1), x.getDim(1)}) < 0) {
    return op.emitOpError("cannot hold the second moments of ") << x.describe();
  }
  Observation &seen = frame.state.observations[op.getName()];
  if (seen.rows == 0) {
    seen.maxAbs.assign(columns, 0.0f);
    seen.secondMoment.assign(columns * columns, 0.0);
  }
  if (seen.maxAbs.size() != columns) {
    return op.emitOpError("expected ")
           << seen.maxAbs.size() << " columns as observed before under \""
           << op.getName() << "\", found " << x.describe();
  }
  for (int64_t t = 0; t < x.getDim(0); ++t) {
    ArrayRef<float> row = x.getFloats().slice(t * columns, columns);
    for (size_t i = 0; i < columns; ++i) {
      seen.maxAbs[i] = std::max(seen.maxAbs[i], std::fabs(row[i]));
      for (size_t j = 0; j < columns; ++j) {
        seen.secondMoment[i * columns + j] += double(row[i]) * double(row[j]);
      }
    }
  }
  seen.rows += x.getDim(0);
  return success();
}

static bool isClose(float actual, float expected, float atol, float rtol) {
  if (std::isnan(actual) || std::isnan(expected)) {
    return std::isnan(actual) && std::isnan(expected);
  }
  if (std::isinf(actual) || std::isinf(expected)) {
    return actual == expected;
  }
  return std::fabs(double(actual) - double(expected)) <=
         atol + double(rtol) * std::fabs(expected);
}

/// The index of element `flat`, outermost dimension first.
static SmallVector<int64_t> indexOf(const Tensor &tensor, int64_t flat) {
  SmallVector<int64_t> index(tensor.getRank());
  for (int64_t d = tensor.getRank() - 1; d >= 0; --d) {
    index[d] = flat % tensor.getDim(d);
    flat /= tensor.getDim(d);
  }
  return index;
}

static bool isClose(int64_t actual, int64_t expected, float atol, float rtol) {
  uint64_t distance = actual > expected ? uint64_t(actual) - uint64_t(expected)
                                        : uint64_t(expected) - uint64_t(actual);
  return distance == 0 ||
         double(distance) <= atol + double(rtol) * std::fabs(double(expected));
}

static std::string format(float value) { return formatFloat(value); }
static std::string format(int64_t value) { return std::to_string(value); }

/// Fails with the first element that is not close.
template <typename T>
static LogicalResult requireClose(CheckOp op, const Tensor &tensor,
                                  ArrayRef<T> actual, ArrayRef<T> expected) {
  float atol = op.getAtol().convertToFloat();
  float rtol = op.getRtol().convertToFloat();
  for (auto [i, a, e] : llvm::enumerate(actual, expected)) {
    if (!isClose(a, e, atol, rtol)) {
      return op.emitOpError("failed at [")
             << indexOf(tensor, i) << "]: actual " << format(a) << ", expected "
             << format(e);
    }
  }
  return success();
}

static LogicalResult evaluateCheck(CheckOp op, Frame &frame) {
  const Tensor &actual = frame.tensor(op.getActual());
  const Tensor &expected = frame.tensor(op.getExpected());
  if (actual.getShape() != expected.getShape()) {
    return op.emitOpError("failed: actual is ")
           << actual.describe() << ", expected is " << expected.describe();
  }
  return actual.isFloat() ? requireClose(op, actual, actual.getFloats(),
                                         expected.getFloats())
                          : requireClose(op, actual, actual.getIntegers(),
                                         expected.getIntegers());
}

void registerQuantOps(OpRegistry &registry) {
  registry.add<QuantizeOp>(evaluateQuantize);
  registry.add<DequantizeOp>(evaluateDequantize);
  registry.add<ObserveOp>(evaluateObserve);
  registry.add<CheckOp>(evaluateCheck);
}

} // namespace umber::interp
