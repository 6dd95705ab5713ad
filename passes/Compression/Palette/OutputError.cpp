// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/OutputError.h"
#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Parallel.h"
#include <numeric>

namespace umber::palette {

/// Rows that are one thread's.
constexpr int64_t kBlockRows = 128;

/// y = M x for the undamped M, of which `rows` from `first` on; x and y are
/// row-major with `columns` columns.
static std::vector<float> multiplyUndamped(const SecondMoment &moment,
                                           const float *x, int64_t first,
                                           int64_t rows, int64_t columns) {
  std::vector<float> y(rows * columns);
  multiply(
      {&moment.getMatrix()[first * moment.getStride()], moment.getStride()},
      {x, columns}, y.data(), columns, rows, columns, moment.getColumns());
  float damping = static_cast<float>(moment.getDamping());
  for (int64_t i = 0; i < rows * columns; ++i) {
    y[i] -= damping * x[first * columns + i];
  }
  return y;
}

/// The part of rows that one second moment of outputs couples, if any; x's
/// columns stand in the order of the inputs' second moment.
static double getCoupledChange(llvm::ArrayRef<float> x, int64_t rows,
                               const SecondMoment &inputs,
                               const SecondMoment *outputs) {
  int64_t columns = inputs.getColumns();
  std::vector<double> sums(llvm::divideCeil(rows, kBlockRows));
  llvm::parallelFor(0, sums.size(), [&](size_t i) {
    int64_t first = int64_t(i) * kBlockRows;
    int64_t height = std::min(kBlockRows, rows - first);
    std::vector<float> block(columns * height);
    for (int64_t r = 0; r < height; ++r) {
      for (int64_t p = 0; p < columns; ++p) {
        block[p * height + r] = x[(first + r) * columns + p];
      }
    }
    std::vector<float> byInputs =
        multiplyUndamped(inputs, block.data(), 0, columns, height);
    std::vector<float> byOutputs(&x[first * columns],
                                 &x[first * columns] + height * columns);
    if (outputs) {
      byOutputs = multiplyUndamped(*outputs, x.data(), first, height, columns);
    }
    for (int64_t r = 0; r < height; ++r) {
      double sum = 0;
      for (int64_t p = 0; p < columns; ++p) {
        sum += double(byOutputs[r * columns + p]) * byInputs[p * height + r];
      }
      sums[i] += sum;
    }
  });
  double sum = std::accumulate(sums.begin(), sums.end(), 0.0);
  return std::max(sum, 0.0) * inputs.getScale() *
         (outputs ? outputs->getScale() : 1);
}

double getOutputChange(llvm::ArrayRef<float> x, const ProductMoments &moments) {
  const SecondMoment &inputs = moments.inputs;
  int64_t columns = inputs.getColumns(), rows = int64_t(x.size()) / columns;
  std::vector<float> ordered(x.size());
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t p = 0; p < columns; ++p) {
      ordered[r * columns + p] = x[r * columns + inputs.getOrder()[p]];
    }
  }
  if (moments.outputs.empty()) {
    return getCoupledChange(ordered, rows, inputs, nullptr);
  }
  double sum = 0;
  llvm::ArrayRef<float> rest = ordered;
  for (const SecondMoment &outputs : moments.outputs) {
    sum += getCoupledChange(rest, outputs.getColumns(), inputs, &outputs);
    rest = rest.drop_front(outputs.getColumns() * columns);
  }
  return sum;
}

double getExpectedChange(llvm::ArrayRef<float> x,
                         const ProductMoments &moments) {
  const SecondMoment &inputs = moments.inputs;
  int64_t columns = inputs.getColumns(), rows = int64_t(x.size()) / columns;
  std::vector<float> byPosition = inputs.getPlacementWeights();
  std::vector<double> weights(columns);
  for (int64_t p = 0; p < columns; ++p) {
    weights[inputs.getOrder()[p]] = byPosition[p] * inputs.getScale();
  }
  auto getRow = [&](int64_t r) {
    double sum = 0;
    for (int64_t c = 0; c < columns; ++c) {
      sum += weights[c] * x[r * columns + c] * x[r * columns + c];
    }
    return sum;
  };
  double sum = 0;
  int64_t row = 0;
  for (const SecondMoment &outputs : moments.outputs) {
    for (int64_t r = 0; r < outputs.getColumns(); ++r, ++row) {
      double diagonal = outputs.getMatrix()[r * outputs.getStride() + r];
      sum +=
          (diagonal - outputs.getDamping()) * outputs.getScale() * getRow(row);
    }
  }
  for (; row < rows; ++row) { // where nothing is known of outputs
    sum += getRow(row);
  }
  return sum;
}

double getOutputError(llvm::ArrayRef<float> weights,
                      const EncodedLayout &layout,
                      const EncodedMatrixRef &matrix,
                      const ProductMoments &moments) {
  std::vector<float> errors(weights.size());
  decodeRows(layout, matrix, 0, errors);
  for (size_t i = 0; i < errors.size(); ++i) {
    errors[i] -= weights[i];
  }
  return getOutputChange(errors, moments);
}

} // namespace umber::palette
