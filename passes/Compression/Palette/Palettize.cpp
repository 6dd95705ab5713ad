// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/Palettize.h"
#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include "passes/Compression/Palette/KMeans.h"
#include "passes/Compression/Palette/Refine.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Parallel.h"
#include <cmath>

namespace umber::palette {

/// About so many rows make a block: enough for matrix products to run at speed,
/// and few enough for small matrices to occupy several threads.
constexpr int64_t blockRows = 64;

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

/// The rows from `first` on, in the second moment's order.
static void load(RowBlock &block, llvm::ArrayRef<float> weights, int64_t first,
                 llvm::ArrayRef<int32_t> order,
                 llvm::ArrayRef<float> rowWeights) {
  for (int64_t r = 0; r < block.rows; ++r) {
    const float *row = &weights[(first + r) * block.columns];
    for (int64_t p = 0; p < block.columns; ++p) {
      block.weights[p * block.rows + r] = row[order[p]];
    }
    if (!rowWeights.empty()) {
      block.importance[r] = rowWeights[first + r];
    }
  }
}

static void store(const RowBlock &block, int64_t first,
                  llvm::ArrayRef<int32_t> order, EncodedMatrix &matrix) {
  for (int64_t r = 0; r < block.rows; ++r) {
    uint8_t *row = &matrix.codes[(first + r) * block.columns];
    for (int64_t p = 0; p < block.columns; ++p) {
      row[order[p]] = block.codes[p * block.rows + r];
    }
  }
  int64_t table = first / block.rowsPerTable;
  std::copy(block.tables.entries.begin(), block.tables.entries.end(),
            matrix.tables.begin() + table * block.tables.count);
  std::copy(block.tables.scales.begin(), block.tables.scales.end(),
            matrix.scales.begin() + table);
}

/// tr(D X H X^T) for the undamped H, X position-major with one row per
/// importance.
static double getQuadraticForm(llvm::ArrayRef<float> x,
                               llvm::ArrayRef<float> importance,
                               const SecondMoment &moment) {
  int64_t rows = importance.size();
  std::vector<float> product(x.size());
  multiply(moment.getMatrix().data(), moment.getStride(), x.data(),
           product.data(), moment.getColumns(), rows, moment.getColumns());
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    sum +=
        importance[i % rows] * x[i] * (product[i] - moment.getDamping() * x[i]);
  }
  return std::max(sum, 0.0) * moment.getScale();
}

static OutputError getOutputError(const RowBlock &block,
                                  const SecondMoment &moment) {
  return {getQuadraticForm(block.errors, block.importance, moment),
          getQuadraticForm(block.weights, block.importance, moment)};
}

/// Calls `function(first, rows)` for blocks that `multiple` divides, on all
/// threads, and sums what it returns in the blocks' order.
static OutputError
overBlocks(int64_t rows, int64_t multiple,
           llvm::function_ref<OutputError(int64_t, int64_t)> function) {
  int64_t height = llvm::alignTo(blockRows, multiple);
  std::vector<OutputError> errors(llvm::divideCeil(rows, height));
  llvm::parallelFor(0, errors.size(), [&](size_t i) {
    int64_t first = i * height;
    errors[i] = function(first, std::min(height, rows - first));
  });
  OutputError total;
  for (const OutputError &error : errors) {
    total.error += error.error;
    total.signal += error.signal;
  }
  return total;
}

llvm::Expected<Compressed> palettize(llvm::ArrayRef<float> weights,
                                     int64_t rows, int64_t columns,
                                     const SecondMoment &moment, int64_t bits,
                                     int64_t rowsPerTable,
                                     const PalettizeOptions &options) {
  assert(int64_t(weights.size()) == rows * columns &&
         columns == moment.getColumns() && bits >= 1 && bits <= 8);
  if (llvm::Error error = checkFinite(weights, columns)) {
    return std::move(error);
  }
  std::vector<float> positionWeights = moment.getPlacementWeights();
  Compressed result;
  result.matrix.codes.resize(rows * columns);
  int64_t tables = llvm::divideCeil(rows, rowsPerTable);
  result.matrix.tables.resize(tables << bits);
  result.matrix.scales.resize(tables);
  result.error =
      overBlocks(rows, rowsPerTable, [&](int64_t first, int64_t height) {
        RowBlock block(height, columns, rowsPerTable, bits);
        load(block, weights, first, moment.getOrder(), options.rowWeights);
        kMeansTables(block, positionWeights);
        if (options.feedback) {
          assignWithFeedback(block, moment);
        } else {
          assignNearest(block);
        }
        refine(block, moment, options.refineRounds, options.refinePasses);
        store(block, first, moment.getOrder(), result.matrix);
        return getOutputError(block, moment);
      });
  return result;
}

OutputError getOutputError(llvm::ArrayRef<float> weights,
                           const EncodedLayout &layout,
                           const EncodedMatrixRef &matrix,
                           const SecondMoment &moment,
                           llvm::ArrayRef<float> rowWeights) {
  int64_t columns = layout.columns;
  return overBlocks(layout.rows, 1, [&](int64_t first, int64_t height) {
    RowBlock block(height, columns, height, /*bits=*/0);
    load(block, weights, first, moment.getOrder(), rowWeights);
    std::vector<float> decoded(height * columns);
    decodeRows(layout, matrix, first, decoded);
    for (int64_t p = 0; p < columns; ++p) {
      for (int64_t r = 0; r < height; ++r) {
        int64_t i = p * height + r;
        block.errors[i] =
            decoded[r * columns + moment.getOrder()[p]] - block.weights[i];
      }
    }
    return getOutputError(block, moment);
  });
}

} // namespace umber::palette
