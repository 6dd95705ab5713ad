// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/SecondMoment.h"
#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cmath>
#include <numeric>

namespace umber::palette {

static llvm::Error check(llvm::ArrayRef<double> h, int64_t columns) {
  for (int64_t i = 0; i < columns; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      if (!std::isfinite(h[i * columns + j])) {
        return llvm::createStringError(
            "second moment has %g at row %lld, column %lld", h[i * columns + j],
            static_cast<long long>(i), static_cast<long long>(j));
      }
    }
    if (h[i * columns + i] < 0) {
      return llvm::createStringError(
          "second moment has %g at column %lld of its diagonal, expected no "
          "negative number",
          h[i * columns + i], static_cast<long long>(i));
    }
  }
  return llvm::Error::success();
}

/// The mean of `h` and its mirror image, over `scale`: a product of second
/// moments that was summed in another order may differ from it. Tile by tile,
/// so that both are read a cache line at a time.
static std::vector<double> getSymmetric(llvm::ArrayRef<double> h,
                                        int64_t columns, double scale) {
  constexpr int64_t kTile = 32;
  std::vector<double> symmetric(columns * columns);
  for (int64_t top = 0; top < columns; top += kTile) {
    for (int64_t left = 0; left < columns; left += kTile) {
      for (int64_t i = top; i < std::min(top + kTile, columns); ++i) {
        for (int64_t j = left; j < std::min(left + kTile, columns); ++j) {
          symmetric[i * columns + j] =
              (h[i * columns + j] + h[j * columns + i]) / 2 / scale;
        }
      }
    }
  }
  return symmetric;
}

SecondMoment SecondMoment::getIdentity(int64_t columns) {
  SecondMoment moment;
  moment.columns = columns;
  moment.stride = llvm::alignTo(columns, strideAlignment);
  moment.order.resize(columns);
  std::iota(moment.order.begin(), moment.order.end(), 0);
  moment.matrix.resize(columns * moment.stride);
  for (int64_t i = 0; i < columns; ++i) {
    moment.matrix[i * moment.stride + i] = 1;
  }
  moment.factor = moment.matrix;
  return moment;
}

llvm::Expected<SecondMoment> SecondMoment::get(llvm::ArrayRef<double> h,
                                               int64_t columns, Order order,
                                               double damping) {
  assert(int64_t(h.size()) == columns * columns);
  if (llvm::Error error = check(h, columns)) {
    return std::move(error);
  }
  auto at = [&](int64_t i, int64_t j) { return h[i * columns + j]; };
  double trace = 0;
  for (int64_t i = 0; i < columns; ++i) {
    trace += at(i, i);
  }
  SecondMoment moment = getIdentity(columns);
  if (trace == 0) {
    return moment;
  }
  moment.scale = trace / columns;
  if (order == Order::Descending) {
    std::stable_sort(moment.order.begin(), moment.order.end(),
                     [&](int32_t i, int32_t j) { return at(i, i) > at(j, j); });
  }

  // LAPACK factors L L^T with L lower. From the last position to the first,
  // that is R R^T with R upper: L's element (i, j), column-major, is R's at the
  // positions counted from the end.
  std::vector<double> symmetric = getSymmetric(h, columns, moment.scale);
  std::vector<double> lower(columns * columns);
  for (moment.damping = damping;;) {
    for (int64_t p = 0; p < columns; ++p) {
      const double *row = &symmetric[moment.order[p] * columns];
      double *column = &lower[(columns - 1 - p) * columns];
      for (int64_t q = 0; q < columns; ++q) {
        double element = row[moment.order[q]] + (p == q ? moment.damping : 0.0);
        moment.matrix[p * moment.stride + q] = static_cast<float>(element);
        column[columns - 1 - q] = element;
      }
    }
    if (choleskyInPlace(lower, columns)) {
      break;
    }
    moment.damping = std::max(moment.damping * 10, 1e-6);
  }
  for (int64_t j = 0; j < columns; ++j) {
    for (int64_t i = j; i < columns; ++i) {
      int64_t p = columns - 1 - i, q = columns - 1 - j;
      moment.factor[q * moment.stride + p] = lower[j * columns + i];
    }
  }
  return moment;
}

std::vector<float> SecondMoment::getPlacementWeights() const {
  std::vector<float> weights(columns);
  for (int64_t p = 0; p < columns; ++p) {
    float diagonal = factor[p * stride + p];
    weights[p] = diagonal * diagonal;
  }
  return weights;
}

} // namespace umber::palette
