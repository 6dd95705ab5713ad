// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Adapters/LowRankCorrection.h"
#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace umber {

using palette::SecondMoment;

/// A moment's factor R, with R R^T the damped moment over its scale, is upper
/// and kept transposed: this is R^T, lower.
static std::vector<double> getLowerFactor(const SecondMoment &moment) {
  int64_t size = moment.getColumns();
  std::vector<double> lower(size * size);
  for (int64_t i = 0; i < size; ++i) {
    const float *row = &moment.getFactor()[i * moment.getStride()];
    std::copy(row, row + i + 1, &lower[i * size]);
  }
  return lower;
}

/// Calls `use` with K^T of each block of rows that one moment of outputs
/// couples, and the block's first row.
static void forEachOutputFactor(
    const palette::ProductMoments &moments,
    llvm::function_ref<void(const TriangleView &, int64_t)> use) {
  int64_t first = 0;
  for (const SecondMoment &outputs : moments.outputs) {
    std::vector<double> lower = getLowerFactor(outputs);
    double scale = std::sqrt(outputs.getScale());
    for (double &element : lower) {
      element *= scale;
    }
    use({lower.data(), outputs.getColumns()}, first);
    first += outputs.getColumns();
  }
}

/// The error with its columns in the order of the inputs' moment.
static std::vector<double> getOrdered(llvm::ArrayRef<float> error,
                                      llvm::ArrayRef<int32_t> order) {
  std::vector<double> ordered(error.size());
  for (size_t first = 0; first < error.size(); first += order.size()) {
    for (size_t p = 0; p < order.size(); ++p) {
      ordered[first + p] = error[first + order[p]];
    }
  }
  return ordered;
}

/// The `rank` eigenvectors with the largest eigenvalues, a row each, largest
/// first. Sets the correction's errors, but for the inputs' scale.
static llvm::Expected<std::vector<double>>
getLargest(std::vector<double> square, int64_t size,
           LowRankCorrection &correction) {
  std::vector<double> values(size);
  if (!findEigenvectors(square, values)) {
    return llvm::createStringError(
        "the singular values of its error were not found");
  }
  std::vector<double> largest;
  for (int64_t i = 0; i < size; ++i) {
    // Rounding may have made those of zero negative.
    double value = std::max(values[i], 0.0);
    correction.errorBefore += value;
    correction.errorAfter += i < size - correction.rank ? value : 0;
  }
  for (int64_t i = size; i-- > size - correction.rank;) {
    largest.insert(largest.end(), square.begin() + i * size,
                   square.begin() + (i + 1) * size);
  }
  return largest;
}

/// Rounds to f32 with the order of columns undone, such that row i of A and
/// column i of B have equal largest elements.
static void setBalanced(LowRankCorrection &correction, llvm::ArrayRef<double> a,
                        llvm::ArrayRef<double> b,
                        llvm::ArrayRef<int32_t> order) {
  int64_t rank = correction.rank, columns = order.size();
  int64_t rows = rank == 0 ? 0 : int64_t(b.size()) / rank;
  correction.a.assign(rank * columns, 0);
  correction.b.assign(rows * rank, 0);
  for (int64_t i = 0; i < rank; ++i) {
    double largestA = 0, largestB = 0;
    for (int64_t p = 0; p < columns; ++p) {
      largestA = std::max(largestA, std::abs(a[i * columns + p]));
    }
    for (int64_t r = 0; r < rows; ++r) {
      largestB = std::max(largestB, std::abs(b[r * rank + i]));
    }
    if (largestA == 0 || largestB == 0) {
      continue; // their product is zero
    }
    double factor = std::sqrt(largestB) / std::sqrt(largestA);
    for (int64_t p = 0; p < columns; ++p) {
      correction.a[i * columns + order[p]] =
          static_cast<float>(a[i * columns + p] * factor);
    }
    for (int64_t r = 0; r < rows; ++r) {
      correction.b[r * rank + i] = static_cast<float>(b[r * rank + i] / factor);
    }
  }
}

llvm::Expected<LowRankCorrection>
findCorrection(llvm::ArrayRef<float> error,
               const palette::ProductMoments &moments, int64_t rank) {
  const SecondMoment &inputs = moments.inputs;
  int64_t columns = inputs.getColumns();
  int64_t rows = int64_t(error.size()) / columns;
  LowRankCorrection correction;
  correction.rank = rank = std::min({rank, rows, columns});

  std::vector<double> lower = getLowerFactor(inputs); // L^T
  TriangleView left{lower.data(), columns};
  TriangleView right{lower.data(), columns, /*transposed=*/true};
  std::vector<double> plain = getOrdered(error, inputs.getOrder());
  // K^T E, and then M = K^T E L.
  std::vector<double> byOutputs = plain;
  forEachOutputFactor(moments, [&](const TriangleView &factor, int64_t first) {
    multiplyByTriangle(factor, Side::Left, &byOutputs[first * columns],
                       factor.size, columns);
  });
  bool isWide = rows <= columns;
  std::vector<double> weighed = isWide ? byOutputs : std::move(byOutputs);
  multiplyByTriangle(right, Side::Right, weighed.data(), rows, columns);

  // The singular vectors U and V of M are eigenvectors of M M^T and M^T M. That
  // squares singular values, but not what the result depends on: an orthogonal
  // projection of M, M's own at full rank.
  int64_t side = std::min(rows, columns);
  std::vector<double> square(side * side);
  multiply({weighed.data(), columns, !isWide},
           {weighed.data(), columns, isWide}, square.data(), side, side,
           std::max(rows, columns));
  auto largest = getLargest(std::move(square), side, correction);
  if (!largest) {
    return largest.takeError();
  }
  std::vector<double> a(rank * columns), b(rows * rank);
  if (isWide) {
    // U U^T M: B = K^-T U, A = U^T K^T E.
    multiply({largest->data(), rows}, {byOutputs.data(), columns}, a.data(),
             rank, columns, rows);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < rank; ++i) {
        b[r * rank + i] = (*largest)[i * rows + r];
      }
    }
    forEachOutputFactor(moments, [&](const TriangleView &factor,
                                     int64_t first) {
      solveTriangle(factor, Side::Left, &b[first * rank], factor.size, rank);
    });
  } else {
    // M V V^T: B = E L V, A = V^T L^-1.
    a = *largest;
    multiplyByTriangle(left, Side::Right, largest->data(), rank, columns);
    multiply({plain.data(), columns}, {largest->data(), columns, true},
             b.data(), rows, rank, columns);
    solveTriangle(right, Side::Right, a.data(), rank, columns);
  }
  setBalanced(correction, a, b, inputs.getOrder());
  correction.errorBefore *= inputs.getScale();
  correction.errorAfter *= inputs.getScale();
  return correction;
}

} // namespace umber
