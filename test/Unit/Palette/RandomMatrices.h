// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TEST_UNIT_PALETTE_RANDOMMATRICES_H
#define UMBER_TEST_UNIT_PALETTE_RANDOMMATRICES_H

#include "dialects/Umber/Parameters/EncodedMatrix.h"
#include "llvm/Support/Error.h"
#include "gtest/gtest.h"
#include <cstdint>
#include <random>
#include <vector>

namespace umber::palette {

/// What went wrong, or nothing.
template <typename T>
std::string errorOf(llvm::Expected<T> &value) {
  return value ? "" : llvm::toString(value.takeError());
}

template <typename T>
void expectError(llvm::Expected<T> value, const char *message) {
  EXPECT_EQ(errorOf(value), message);
}

/// The same numbers with every standard library, unlike std distributions.
class Random {
public:
  explicit Random(uint32_t seed) : engine(seed) {}

  /// About normal: a sum of uniform numbers.
  float get() {
    double sum = 0;
    for (int i = 0; i < 12; ++i) {
      sum += engine() / 4294967296.0;
    }
    return static_cast<float>(sum - 6);
  }

  std::vector<float> get(int64_t count) {
    std::vector<float> values(count);
    for (float &value : values) {
      value = get();
    }
    return values;
  }

private:
  std::mt19937 engine;
};

/// The second moment of inputs that depend on a few common causes, and that
/// differ in size.
inline std::vector<double> getCorrelatedMoment(int64_t columns,
                                               Random &random) {
  int64_t causes = columns / 4 + 1, tokens = 4 * columns;
  std::vector<float> mixing = random.get(causes * columns);
  std::vector<double> moment(columns * columns);
  for (int64_t t = 0; t < tokens; ++t) {
    std::vector<float> cause = random.get(causes), x = random.get(columns);
    for (int64_t j = 0; j < columns; ++j) {
      x[j] *= 0.3f;
      for (int64_t c = 0; c < causes; ++c) {
        x[j] += cause[c] * mixing[c * columns + j];
      }
      x[j] *= 1.0f + (j % 5);
    }
    for (int64_t i = 0; i < columns; ++i) {
      for (int64_t j = 0; j < columns; ++j) {
        moment[i * columns + j] += double(x[i]) * x[j] / tokens;
      }
    }
  }
  return moment;
}

/// Of palettes with a table and a scale per `rowsPerTable` rows.
inline EncodedLayout getLayout(int64_t rows, int64_t columns, int64_t bits,
                               int64_t rowsPerTable) {
  EncodedLayout layout;
  layout.rows = rows;
  layout.columns = columns;
  layout.tableRows = layout.scaleRows = rowsPerTable;
  layout.tableColumns = layout.scaleColumns = columns;
  layout.entries = int64_t(1) << bits;
  layout.tables = layout.scales = (rows + rowsPerTable - 1) / rowsPerTable;
  return layout;
}

} // namespace umber::palette

#endif // UMBER_TEST_UNIT_PALETTE_RANDOMMATRICES_H
