// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/TrainableTables.h"
#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include "passes/Compression/Palette/Tables.h"
#include "llvm/Support/Parallel.h"
#include <algorithm>
#include <cmath>

using llvm::ArrayRef;

namespace umber {

bool TrainableTables::areTrainable(const EncodedLayout &layout) {
  return layout.entries > 0 && layout.scaleRows == layout.tableRows &&
         layout.scaleColumns == layout.tableColumns;
}

TrainableTables::TrainableTables(const EncodedLayout &layout,
                                 const EncodedMatrixRef &matrix)
    : layout(layout), codes(matrix.codes),
      values(layout.tables * layout.entries), firstMoments(values.size()),
      secondMoments(values.size()), gradient(values.size()),
      sizes(layout.tables) {
  for (int64_t t = 0; t < layout.tables; ++t) {
    double squares = 0;
    for (int64_t e = t * layout.entries; e < (t + 1) * layout.entries; ++e) {
      values[e] = float(matrix.tables[e]) * palette::fromHalf(matrix.scales[t]);
      squares += double(values[e]) * values[e];
    }
    sizes[t] = static_cast<float>(std::sqrt(squares / double(layout.entries)));
  }
}

std::vector<float> TrainableTables::decode() const {
  std::vector<float> weights(layout.rows * layout.columns);
  llvm::parallelFor(0, layout.rows, [&](size_t row) {
    for (int64_t first = 0; first < layout.columns;
         first += layout.tableColumns) {
      const float *table =
          &values[layout.getTable(row, first) * layout.entries];
      int64_t at = row * layout.columns + first;
      for (int64_t i = at; i < at + layout.tableColumns; ++i) {
        weights[i] = table[codes[i]];
      }
    }
  });
  return weights;
}

void TrainableTables::addGradient(ArrayRef<float> x, ArrayRef<float> dy) {
  int64_t tokens = x.size() / layout.columns;
  std::vector<float> byWeight(layout.rows * layout.columns);
  multiplyInParallel({dy.data(), layout.rows, true}, {x.data(), layout.columns},
                     byWeight.data(), layout.columns, layout.rows,
                     layout.columns, tokens);
  // Each table is one thread's.
  int64_t perRow = layout.columns / layout.tableColumns;
  llvm::parallelFor(0, layout.tables, [&](size_t table) {
    int64_t firstRow = int64_t(table) / perRow * layout.tableRows;
    int64_t endRow = std::min(layout.rows, firstRow + layout.tableRows);
    int64_t firstColumn = int64_t(table) % perRow * layout.tableColumns;
    float *sums = &gradient[table * layout.entries];
    for (int64_t row = firstRow; row < endRow; ++row) {
      int64_t at = row * layout.columns + firstColumn;
      for (int64_t i = at; i < at + layout.tableColumns; ++i) {
        sums[codes[i]] += byWeight[i];
      }
    }
  });
}

void TrainableTables::descend(double rate, int64_t step) {
  // The second moment forgets fast: runs have tens of steps, not thousands.
  constexpr double kFirst = 0.9, kSecond = 0.95, kEpsilon = 1e-12;
  double firstBias = 1 - std::pow(kFirst, double(step));
  double secondBias = 1 - std::pow(kSecond, double(step));
  for (size_t i = 0; i < values.size(); ++i) {
    double g = gradient[i];
    firstMoments[i] = float(kFirst * firstMoments[i] + (1 - kFirst) * g);
    secondMoments[i] =
        float(kSecond * secondMoments[i] + (1 - kSecond) * g * g);
    double direction = firstMoments[i] / firstBias /
                       (std::sqrt(secondMoments[i] / secondBias) + kEpsilon);
    values[i] -= float(rate * sizes[i / layout.entries] * direction);
  }
  std::fill(gradient.begin(), gradient.end(), 0.0f);
}

EncodedMatrix TrainableTables::round() const {
  std::vector<double> counts(values.size());
  for (int64_t row = 0; row < layout.rows; ++row) {
    for (int64_t column = 0; column < layout.columns; ++column) {
      counts[layout.getTable(row, column) * layout.entries +
             codes[row * layout.columns + column]] += 1;
    }
  }
  palette::Tables tables(layout.tables, layout.entries);
  int64_t n = layout.entries;
  std::vector<double> target(n), metric(n * n);
  for (int64_t t = 0; t < layout.tables; ++t) {
    for (int64_t e = 0; e < n; ++e) {
      target[e] = values[t * n + e];
      metric[e * n + e] = counts[t * n + e];
    }
    tables.round(t, target, metric);
  }
  return {codes.vec(), std::move(tables.entries), std::move(tables.scales)};
}

std::vector<float> TrainableTables::getState() const {
  std::vector<float> state = values;
  state.insert(state.end(), firstMoments.begin(), firstMoments.end());
  state.insert(state.end(), secondMoments.begin(), secondMoments.end());
  return state;
}

void TrainableTables::setState(ArrayRef<float> state) {
  size_t count = values.size();
  values = state.take_front(count).vec();
  firstMoments = state.slice(count, count).vec();
  secondMoments = state.slice(2 * count).vec();
}

} // namespace umber
