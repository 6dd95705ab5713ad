// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/CoupledRows.h"
#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include "passes/Compression/Palette/FitTables.h"
#include "passes/Compression/Palette/KMeans.h"
#include "llvm/Support/MathExtras.h"

namespace umber::palette {

/// About so many rows make a block: enough for matrix products to run at speed,
/// and few enough for what is kept up to date element by element.
constexpr int64_t kBlockRows = 64;

CoupledRows::CoupledRows(llvm::ArrayRef<float> weights,
                         const SecondMoment &inputs,
                         const SecondMoment &outputs, int64_t bits,
                         int64_t rowsPerTable)
    : inputs(inputs), outputs(outputs) {
  int64_t rows = outputs.getColumns(), columns = inputs.getColumns();
  int64_t height = llvm::alignTo(kBlockRows, rowsPerTable);
  std::vector<float> importance = outputs.getPlacementWeights();
  for (int64_t first = 0; first < rows; first += height) {
    RowBlock &block = blocks.emplace_back(std::min(height, rows - first),
                                          columns, rowsPerTable, bits);
    for (int64_t r = 0; r < block.rows; ++r) {
      const float *row = &weights[(first + r) * columns];
      for (int64_t p = 0; p < columns; ++p) {
        block.weights[p * block.rows + r] = row[inputs.getOrder()[p]];
      }
      block.importance[r] = importance[first + r];
    }
  }
}

int64_t CoupledRows::getFirst(size_t block) const {
  return int64_t(block) * blocks.front().rows;
}

void CoupledRows::couple(size_t index, llvm::ArrayRef<float> matrix,
                         size_t end) {
  RowBlock &block = blocks[index];
  int64_t stride = outputs.getStride();
  const float *rows = &matrix[getFirst(index) * stride];
  for (int64_t r = 0; r < block.rows; ++r) {
    for (int64_t q = 0; q < block.rows; ++q) {
      block.coupling[r * block.rows + q] =
          rows[q * stride + getFirst(index) + r];
    }
  }
  std::fill(block.mixed.begin(), block.mixed.end(), 0.0f);
  for (size_t other = 0; other < end; ++other) {
    int64_t height = blocks[other].rows;
    multiply({blocks[other].errors.data(), height},
             {rows + getFirst(other), stride, /*transposed=*/true},
             block.mixed.data(), block.rows, block.columns, block.rows, height,
             /*factor=*/1, /*add=*/1);
  }
}

void CoupledRows::assign(bool feedback) {
  std::vector<float> positionWeights = inputs.getPlacementWeights();
  for (size_t i = 0; i < blocks.size(); ++i) {
    kMeansTables(blocks[i], positionWeights);
    if (feedback) {
      couple(i, outputs.getFactor(), i);
      assignWithFeedback(blocks[i], inputs);
    } else {
      assignNearest(blocks[i]);
    }
  }
}

void CoupledRows::refine(int passes) {
  for (size_t i = 0; i < blocks.size(); ++i) {
    couple(i, outputs.getMatrix(), blocks.size());
    fitTables(blocks[i], inputs);
    for (int pass = 0; pass < passes; ++pass) {
      descend(blocks[i], inputs);
    }
  }
}

void CoupledRows::store(int64_t first, EncodedMatrix &matrix) const {
  for (const RowBlock &block : blocks) {
    for (int64_t r = 0; r < block.rows; ++r) {
      uint8_t *row = &matrix.codes[(first + r) * block.columns];
      for (int64_t p = 0; p < block.columns; ++p) {
        row[inputs.getOrder()[p]] = block.codes[p * block.rows + r];
      }
    }
    int64_t table = first / block.rowsPerTable;
    std::copy(block.tables.entries.begin(), block.tables.entries.end(),
              matrix.tables.begin() + table * block.tables.count);
    std::copy(block.tables.scales.begin(), block.tables.scales.end(),
              matrix.scales.begin() + table);
    first += block.rows;
  }
}

} // namespace umber::palette
