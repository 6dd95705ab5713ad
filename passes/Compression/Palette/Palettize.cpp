// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/Palettize.h"
#include "passes/Compression/Palette/CoupledRows.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Parallel.h"
#include <cmath>

namespace umber::palette {

/// Rows that are one task where nothing couples them.
constexpr int64_t kTaskRows = 64;

llvm::Error checkFinite(llvm::ArrayRef<float> weights, int64_t columns) {
  for (size_t i = 0; i < weights.size(); ++i) {
    if (!std::isfinite(weights[i])) {
      return llvm::createStringError("weight at row %lld, column %lld is %g",
                                     static_cast<long long>(i / columns),
                                     static_cast<long long>(i % columns),
                                     static_cast<double>(weights[i]));
    }
  }
  return llvm::Error::success();
}

/// What couples rows of which nothing is known: each for itself, in runs of a
/// multiple of `rowsPerTable`.
static std::vector<SecondMoment> getUncoupled(int64_t rows,
                                              int64_t rowsPerTable) {
  int64_t height = llvm::alignTo(kTaskRows, rowsPerTable);
  std::vector<SecondMoment> moments;
  for (int64_t first = 0; first < rows; first += height) {
    moments.push_back(
        SecondMoment::getIdentity(std::min(height, rows - first)));
  }
  return moments;
}

llvm::Expected<EncodedMatrix> palettize(llvm::ArrayRef<float> weights,
                                        const ProductMoments &moments,
                                        int64_t bits, int64_t rowsPerTable,
                                        const PalettizeOptions &options) {
  int64_t columns = moments.inputs.getColumns();
  int64_t rows = int64_t(weights.size()) / columns;
  assert(rows * columns == int64_t(weights.size()) && bits >= 1 && bits <= 8);
  if (llvm::Error error = checkFinite(weights, columns)) {
    return std::move(error);
  }
  std::vector<SecondMoment> uncoupled;
  if (moments.outputs.empty()) {
    uncoupled = getUncoupled(rows, rowsPerTable);
  }
  llvm::ArrayRef<SecondMoment> outputs =
      moments.outputs.empty() ? uncoupled : moments.outputs;
  std::vector<int64_t> first{0};
  for (const SecondMoment &moment : outputs) {
    assert(first.back() % rowsPerTable == 0);
    first.push_back(first.back() + moment.getColumns());
  }
  assert(first.back() == rows);

  EncodedMatrix matrix;
  matrix.codes.resize(rows * columns);
  int64_t tables = llvm::divideCeil(rows, rowsPerTable);
  matrix.tables.resize(tables << bits);
  matrix.scales.resize(tables);
  llvm::parallelFor(0, outputs.size(), [&](size_t i) {
    CoupledRows part(
        weights.slice(first[i] * columns, outputs[i].getColumns() * columns),
        moments.inputs, outputs[i], bits, rowsPerTable);
    part.assign(options.feedback);
    for (int round = 0; round < options.refineRounds; ++round) {
      part.refine(options.refinePasses);
    }
    part.store(first[i], matrix);
  });
  return matrix;
}

} // namespace umber::palette
