// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Feedback and coordinate descent are one sweep. With M = R (upper) or M = H,
// the objective as a function of the error at position j alone is least where
//
//     e_j = -(sum over i != j of e_i M_ij) / M_jj
//
// for R because the objective is sum_j (sum over i <= j of e_i R_ij)^2, and
// later positions are still free. What differs is only which errors are there
// before the sweep comes to j.

#include "passes/Compression/Palette/RowBlock.h"
#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include "llvm/Support/MathExtras.h"

namespace umber::palette {

RowBlock::RowBlock(int64_t rows, int64_t columns, int64_t rowsPerTable,
                   int64_t bits)
    : rows(rows), columns(columns), rowsPerTable(rowsPerTable),
      weights(rows * columns), errors(rows * columns), codes(rows * columns),
      importance(rows, 1.0f),
      tables(llvm::divideCeil(rows, rowsPerTable), int64_t(1) << bits) {}

namespace {

/// How positions are cut: gradients within a run of so many are kept up to date
/// element by element, those of the next run are had by a matrix product.
constexpr int64_t runLength = 64;

/// Per row, what nearest-entry search reads, and room for one position.
struct RowState {
  std::vector<int32_t> cells; ///< 256 per table, see Tables::fillCells
  std::vector<int32_t> first; ///< where in `cells` the row's begin
  std::vector<float> scale;
  std::vector<float> perScale; ///< 2 / scale, 0 if the scale is 0
  std::vector<float> change;

  explicit RowState(const RowBlock &block)
      : cells(block.getGroups() * Tables::cellCount), first(block.rows),
        scale(block.rows), perScale(block.rows), change(block.rows) {
    for (int64_t g = 0; g < block.getGroups(); ++g) {
      block.tables.fillCells(g, &cells[g * Tables::cellCount]);
      float s = block.tables.getScale(g);
      for (int64_t r = block.getFirstRow(g); r < block.getEndRow(g); ++r) {
        first[r] = g * Tables::cellCount;
        scale[r] = s;
        perScale[r] = s == 0 ? 0 : 2 / s;
      }
    }
  }
};

} // namespace

/// Codes one position: `gradient` over `diagonal` is how far its target lies
/// below the weight plus its error.
UMBER_PER_PROCESSOR static void
assignPosition(int64_t rows, const float *__restrict weights,
               float *__restrict errors, uint8_t *__restrict codes,
               const float *__restrict gradient, float perDiagonal,
               const int32_t *__restrict cells, const int32_t *__restrict first,
               const float *__restrict scale, const float *__restrict perScale,
               float *__restrict change) {
  for (int64_t r = 0; r < rows; ++r) {
    float target = weights[r] + errors[r] - gradient[r] * perDiagonal;
    float cell = target * perScale[r] + Tables::cellCount / 2;
    cell = cell > 0 ? cell : 0;
    cell = cell < Tables::cellCount - 1 ? cell : Tables::cellCount - 1;
    int32_t found = cells[first[r] + static_cast<int32_t>(cell)];
    float error = (found >> 8) * scale[r] - weights[r];
    change[r] = error - errors[r];
    errors[r] = error;
    codes[r] = found & 255;
  }
}

/// gradient[j] += change * coupling[j], for all rows.
UMBER_PER_PROCESSOR static void spread(int64_t rows, int64_t positions,
                                       const float *__restrict change,
                                       const float *__restrict coupling,
                                       float *__restrict gradient) {
  for (int64_t j = 0; j < positions; ++j) {
    float factor = coupling[j];
    for (int64_t r = 0; r < rows; ++r) {
      gradient[j * rows + r] += change[r] * factor;
    }
  }
}

/// `matrix` is M^T; `causal`: M is upper triangular.
static void sweep(RowBlock &block, llvm::ArrayRef<float> matrix, int64_t stride,
                  bool causal) {
  RowState state(block);
  std::vector<float> gradient(runLength * block.rows);
  float coupling[runLength];
  for (int64_t begin = 0; begin < block.columns; begin += runLength) {
    int64_t length = std::min(runLength, block.columns - begin);
    multiply(&matrix[begin * stride], stride, block.errors.data(),
             gradient.data(), length, block.rows,
             causal ? begin : block.columns);
    for (int64_t i = 0; i < length; ++i) {
      int64_t position = begin + i, offset = position * block.rows;
      assignPosition(block.rows, &block.weights[offset], &block.errors[offset],
                     &block.codes[offset], &gradient[i * block.rows],
                     1 / matrix[position * stride + position],
                     state.cells.data(), state.first.data(), state.scale.data(),
                     state.perScale.data(), state.change.data());
      for (int64_t j = i + 1; j < length; ++j) {
        coupling[j] = matrix[(begin + j) * stride + position];
      }
      spread(block.rows, length - i - 1, state.change.data(), &coupling[i + 1],
             &gradient[(i + 1) * block.rows]);
    }
  }
}

void assignNearest(RowBlock &block) {
  RowState state(block);
  std::vector<float> gradient(block.rows);
  std::fill(block.errors.begin(), block.errors.end(), 0.0f);
  for (int64_t position = 0; position < block.columns; ++position) {
    int64_t offset = position * block.rows;
    assignPosition(block.rows, &block.weights[offset], &block.errors[offset],
                   &block.codes[offset], gradient.data(), 0, state.cells.data(),
                   state.first.data(), state.scale.data(),
                   state.perScale.data(), state.change.data());
  }
}

void assignWithFeedback(RowBlock &block, const SecondMoment &moment) {
  std::fill(block.errors.begin(), block.errors.end(), 0.0f);
  sweep(block, moment.getFactor(), moment.getStride(), /*causal=*/true);
}

void descend(RowBlock &block, const SecondMoment &moment) {
  sweep(block, moment.getMatrix(), moment.getStride(), /*causal=*/false);
}

std::vector<double> getObjective(const RowBlock &block,
                                 const SecondMoment &moment,
                                 std::vector<float> &gradient) {
  gradient.resize(block.errors.size());
  multiply(moment.getMatrix().data(), moment.getStride(), block.errors.data(),
           gradient.data(), block.columns, block.rows, block.columns);
  std::vector<double> perRow(block.rows), perTable(block.getGroups());
  for (size_t i = 0; i < gradient.size(); i += block.rows) {
    for (int64_t r = 0; r < block.rows; ++r) {
      perRow[r] += double(gradient[i + r]) * block.errors[i + r];
    }
  }
  for (int64_t r = 0; r < block.rows; ++r) {
    perTable[r / block.rowsPerTable] += block.importance[r] * perRow[r];
  }
  return perTable;
}

} // namespace umber::palette
