// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Feedback and coordinate descent are one sweep. With K = R and M = S (upper
// factors) or K = G and M = H (second moments), of outputs and inputs, the
// objective as a function of the error at row r and position j alone is least
// where
//
//     e_rj = -(sum over (q, i) != (r, j) of K_qr e_qi M_ij) / (K_rr M_jj)
//
// for the factors because the objective is the sum of squares of R^T E S, whose
// element (r, j) is the first that this error has a part in: later rows and
// positions are still free. What differs is only which errors are there before
// the sweep comes to an element.

#include "passes/Compression/Palette/RowBlock.h"
#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include "llvm/Support/MathExtras.h"

namespace umber::palette {

RowBlock::RowBlock(int64_t rows, int64_t columns, int64_t rowsPerTable,
                   int64_t bits)
    : rows(rows), columns(columns), rowsPerTable(rowsPerTable),
      weights(rows * columns), errors(rows * columns), codes(rows * columns),
      importance(rows, 1.0f), coupling(rows * rows), mixed(rows * columns),
      tables(llvm::divideCeil(rows, rowsPerTable), int64_t(1) << bits) {
  for (int64_t r = 0; r < rows; ++r) {
    coupling[r * rows + r] = 1;
  }
}

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
  std::vector<float> perCoupling;
  std::vector<float> change; ///< of `mixed`

  explicit RowState(const RowBlock &block)
      : cells(block.getGroups() * Tables::cellCount), first(block.rows),
        scale(block.rows), perScale(block.rows), perCoupling(block.rows),
        change(block.rows) {
    for (int64_t g = 0; g < block.getGroups(); ++g) {
      block.tables.fillCells(g, &cells[g * Tables::cellCount]);
      float s = block.tables.getScale(g);
      for (int64_t r = block.getFirstRow(g); r < block.getEndRow(g); ++r) {
        first[r] = g * Tables::cellCount;
        scale[r] = s;
        perScale[r] = s == 0 ? 0 : 2 / s;
        perCoupling[r] = 1 / block.coupling[r * block.rows + r];
      }
    }
  }
};

} // namespace

/// Codes one position: `gradient` over `diagonal` and the row's coupling to
/// itself is how far its target lies below the weight plus its error. Writes
/// the change of `mixed`.
UMBER_PER_PROCESSOR static void
assignPosition(int64_t rows, const float *__restrict weights,
               float *__restrict errors, float *__restrict mixed,
               uint8_t *__restrict codes, const float *__restrict gradient,
               float diagonal, const float *__restrict coupling,
               const int32_t *__restrict cells, const int32_t *__restrict first,
               const float *__restrict scale, const float *__restrict perScale,
               const float *__restrict perCoupling, float *__restrict change) {
  std::fill(change, change + rows, 0.0f);
  float perDiagonal = 1 / diagonal;
  for (int64_t r = 0; r < rows; ++r) {
    float target = weights[r] + errors[r] -
                   (gradient[r] * perDiagonal + change[r]) * perCoupling[r];
    float cell = target * perScale[r] + Tables::cellCount / 2;
    cell = cell > 0 ? cell : 0;
    cell = cell < Tables::cellCount - 1 ? cell : Tables::cellCount - 1;
    int32_t found = cells[first[r] + static_cast<int32_t>(cell)];
    float error = (found >> 8) * scale[r] - weights[r];
    float step = error - errors[r];
    errors[r] = error;
    codes[r] = found & 255;
    if (step == 0) {
      continue;
    }
    const float *row = coupling + r * rows;
    for (int64_t q = 0; q < rows; ++q) {
      change[q] += step * row[q];
    }
  }
  for (int64_t r = 0; r < rows; ++r) {
    mixed[r] += change[r];
  }
}

/// gradient[j] += change * factors[j], for all rows.
UMBER_PER_PROCESSOR static void spread(int64_t rows, int64_t positions,
                                       const float *__restrict change,
                                       const float *__restrict factors,
                                       float *__restrict gradient) {
  for (int64_t j = 0; j < positions; ++j) {
    float factor = factors[j];
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
  float factors[runLength];
  for (int64_t begin = 0; begin < block.columns; begin += runLength) {
    int64_t length = std::min(runLength, block.columns - begin);
    multiply(&matrix[begin * stride], stride, block.mixed.data(),
             gradient.data(), length, block.rows,
             causal ? begin + length : block.columns);
    for (int64_t i = 0; i < length; ++i) {
      int64_t position = begin + i, offset = position * block.rows;
      assignPosition(
          block.rows, &block.weights[offset], &block.errors[offset],
          &block.mixed[offset], &block.codes[offset], &gradient[i * block.rows],
          matrix[position * stride + position], block.coupling.data(),
          state.cells.data(), state.first.data(), state.scale.data(),
          state.perScale.data(), state.perCoupling.data(), state.change.data());
      for (int64_t j = i + 1; j < length; ++j) {
        factors[j] = matrix[(begin + j) * stride + position];
      }
      spread(block.rows, length - i - 1, state.change.data(), &factors[i + 1],
             &gradient[(i + 1) * block.rows]);
    }
  }
}

void assignNearest(RowBlock &block) {
  RowState state(block);
  for (int64_t p = 0; p < block.columns; ++p) {
    for (int64_t r = 0; r < block.rows; ++r) {
      int64_t i = p * block.rows + r;
      float cell = block.weights[i] * state.perScale[r] + Tables::cellCount / 2;
      cell = std::clamp(cell, 0.0f, float(Tables::cellCount - 1));
      int32_t found = state.cells[state.first[r] + static_cast<int32_t>(cell)];
      block.errors[i] = (found >> 8) * state.scale[r] - block.weights[i];
      block.codes[i] = found & 255;
    }
  }
}

void assignWithFeedback(RowBlock &block, const SecondMoment &inputs) {
  sweep(block, inputs.getFactor(), inputs.getStride(), /*causal=*/true);
}

void descend(RowBlock &block, const SecondMoment &inputs) {
  sweep(block, inputs.getMatrix(), inputs.getStride(), /*causal=*/false);
}

} // namespace umber::palette
