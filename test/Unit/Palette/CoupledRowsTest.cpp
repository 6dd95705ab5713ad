// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/CoupledRows.h"
#include "test/Unit/Palette/RandomMatrices.h"
#include "gtest/gtest.h"
#include <array>

using namespace umber;
using namespace umber::palette;

namespace {

/// Weights with correlated inputs and outputs.
struct Case {
  int64_t rows, columns, bits, rowsPerTable;
  std::vector<float> weights;
  SecondMoment inputs, outputs;

  static Case make(int64_t rows, int64_t columns, int64_t bits,
                   int64_t rowsPerTable, uint32_t seed) {
    Random random(seed);
    std::vector<float> weights = random.get(rows * columns);
    auto inputs =
        SecondMoment::get(getCorrelatedMoment(columns, random), columns);
    auto outputs = SecondMoment::get(getCorrelatedMoment(rows, random), rows,
                                     SecondMoment::Order::Given);
    EXPECT_EQ(errorOf(inputs), "");
    EXPECT_EQ(errorOf(outputs), "");
    return {rows,
            columns,
            bits,
            rowsPerTable,
            weights,
            std::move(*inputs),
            std::move(*outputs)};
  }

  CoupledRows getRows() const {
    return {weights, inputs, outputs, bits, rowsPerTable};
  }

  EncodedMatrix store(const CoupledRows &coupled) const {
    EncodedMatrix matrix;
    EncodedLayout layout = getLayout(rows, columns, bits, rowsPerTable);
    matrix.codes.resize(rows * columns);
    matrix.tables.resize(layout.tables * layout.entries);
    matrix.scales.resize(layout.scales);
    coupled.store(0, matrix);
    return matrix;
  }

  /// tr(G E H E^T) as it is defined, for the damped moments.
  double getObjective(const EncodedMatrix &matrix) const {
    std::vector<float> errors(rows * columns);
    decodeRows(getLayout(rows, columns, bits, rowsPerTable), matrix, 0, errors);
    for (size_t i = 0; i < errors.size(); ++i) {
      errors[i] -= weights[i];
    }
    std::vector<double> byInputs(rows * columns);
    for (int64_t p = 0; p < columns; ++p) {
      for (int64_t q = 0; q < columns; ++q) {
        double h = inputs.getMatrix()[p * inputs.getStride() + q];
        for (int64_t r = 0; r < rows; ++r) {
          byInputs[r * columns + inputs.getOrder()[q]] +=
              h * errors[r * columns + inputs.getOrder()[p]];
        }
      }
    }
    double sum = 0;
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t s = 0; s < rows; ++s) {
        double g = outputs.getMatrix()[r * outputs.getStride() + s];
        for (int64_t c = 0; c < columns; ++c) {
          sum += g * errors[r * columns + c] * byInputs[s * columns + c];
        }
      }
    }
    return sum;
  }

  double getObjective(const CoupledRows &coupled) const {
    return getObjective(store(coupled));
  }
};

} // namespace

TEST(CoupledRows, RefinementNeverRaisesTheObjective) {
  // Blocks of 64 rows and a rest, tables that end within a block or not.
  for (auto [rows, columns, rowsPerTable] : {std::array<int64_t, 3>{16, 65, 16},
                                             {11, 70, 4},
                                             {150, 40, 16},
                                             {130, 33, 10}}) {
    for (int64_t bits : {1, 2, 3, 4, 6, 8}) {
      Case c = Case::make(rows, columns, bits, rowsPerTable, 7 + bits);
      CoupledRows coupled = c.getRows();
      coupled.assign(/*feedback=*/true);
      double first = c.getObjective(coupled), last = first;
      for (int round = 0; round < 4; ++round) {
        coupled.refine(/*passes=*/2);
        double now = c.getObjective(coupled);
        EXPECT_LE(now, last * (1 + 1e-5)) << rows << " rows, " << bits;
        last = now;
      }
      EXPECT_LT(last, first);
    }
  }
}

TEST(CoupledRows, DescentLeavesNoCodeThatAnotherBeats) {
  Case c = Case::make(5, 20, 2, 3, 20);
  CoupledRows coupled = c.getRows();
  coupled.assign(/*feedback=*/false);
  coupled.refine(/*passes=*/50);
  EncodedMatrix matrix = c.store(coupled);
  double reached = c.getObjective(matrix);
  for (uint8_t &code : matrix.codes) {
    uint8_t kept = code;
    for (code = 0; code < 4; ++code) {
      EXPECT_GE(c.getObjective(matrix), reached * (1 - 1e-4));
    }
    code = kept;
  }
}

TEST(CoupledRows, FeedbackBeatsNearestEntries) {
  Case c = Case::make(100, 96, 3, 16, 21);
  CoupledRows nearest = c.getRows(), fed = c.getRows();
  nearest.assign(/*feedback=*/false);
  fed.assign(/*feedback=*/true);
  EXPECT_LT(c.getObjective(fed), 0.3 * c.getObjective(nearest));
}

TEST(CoupledRows, ErrLessThanRowsThatDoNotKnowOfEachOther) {
  Case c = Case::make(100, 48, 3, 16, 22);
  CoupledRows coupled = c.getRows();
  Case alone = Case::make(100, 48, 3, 16, 22);
  // Each row with its own importance, and nothing else.
  std::vector<double> diagonal(c.rows * c.rows);
  for (int64_t r = 0; r < c.rows; ++r) {
    diagonal[r * c.rows + r] =
        c.outputs.getMatrix()[r * c.outputs.getStride() + r];
  }
  auto outputs =
      SecondMoment::get(diagonal, c.rows, SecondMoment::Order::Given, 0);
  ASSERT_EQ(errorOf(outputs), "");
  alone.outputs = std::move(*outputs);
  CoupledRows uncoupled = alone.getRows();
  for (CoupledRows *rows : {&coupled, &uncoupled}) {
    rows->assign(/*feedback=*/true);
    rows->refine(2);
  }
  EXPECT_LT(c.getObjective(coupled), 0.7 * c.getObjective(uncoupled));
}
