// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/FitTables.h"
#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include <algorithm>
#include <numeric>

namespace umber::palette {

namespace {

/// A row's positions by code, so that a code's columns of the second moment are
/// summed in registers.
struct PositionsByCode {
  std::vector<int32_t> positions, begin;

  PositionsByCode(const RowBlock &block, int64_t row)
      : positions(block.columns), begin(block.tables.count + 1) {
    auto getCode = [&](int64_t position) {
      return block.codes[position * block.rows + row];
    };
    for (int64_t p = 0; p < block.columns; ++p) {
      ++begin[getCode(p) + 1];
    }
    std::partial_sum(begin.begin(), begin.end(), begin.begin());
    std::vector<int32_t> next(begin.begin(), begin.end() - 1);
    for (int64_t p = 0; p < block.columns; ++p) {
      positions[next[getCode(p)]++] = p;
    }
  }
};

// An alias by `using` would drop the alignment.
typedef float Lanes __attribute__((vector_size(64), aligned(4)));

} // namespace

/// Writes the sum of the rows at `positions` of a matrix, over the
/// strideAlignment columns that `matrix` points to.
UMBER_PER_PROCESSOR static void sumRows(const float *matrix, int64_t stride,
                                        const int32_t *positions, int64_t count,
                                        float *sum) {
  static_assert(strideAlignment == 4 * sizeof(Lanes) / sizeof(float), "");
  Lanes a = {}, b = {}, c = {}, d = {};
  for (int64_t i = 0; i < count; ++i) {
    auto *row = reinterpret_cast<const Lanes *>(matrix + positions[i] * stride);
    a += row[0];
    b += row[1];
    c += row[2];
    d += row[3];
  }
  auto *out = reinterpret_cast<Lanes *>(sum);
  out[0] = a;
  out[1] = b;
  out[2] = c;
  out[3] = d;
}

/// sums[q] = sum over r of coupling[r, q] * sums[r], in place, for `rows` rows
/// of strideAlignment elements.
UMBER_PER_PROCESSOR static void mixRows(int64_t rows, const float *coupling,
                                        int64_t stride, const float *sums,
                                        float *mixed) {
  for (int64_t q = 0; q < rows; ++q) {
    float *out = mixed + q * strideAlignment;
    std::fill(out, out + strideAlignment, 0.0f);
    for (int64_t r = 0; r < rows; ++r) {
      float factor = coupling[r * stride + q];
      const float *row = sums + r * strideAlignment;
      for (int64_t j = 0; j < strideAlignment; ++j) {
        out[j] += factor * row[j];
      }
    }
  }
}

/// The objective's second derivative in a table's entries, halved: metric[a, b]
/// is the sum of G[r, q] H[i, j] over the table's rows r, q, the positions i
/// where r has code a, and j where q has code b.
static std::vector<double>
getMetric(const RowBlock &block, const SecondMoment &inputs, int64_t group) {
  int64_t count = block.tables.count;
  int64_t first = block.getFirstRow(group);
  int64_t rows = block.getEndRow(group) - first;
  std::vector<PositionsByCode> byCode;
  for (int64_t r = 0; r < rows; ++r) {
    byCode.emplace_back(block, first + r);
  }
  std::vector<double> metric(count * count);
  std::vector<float> sums(rows * strideAlignment), mixed(sums.size());
  // A strip of the second moment stays in the cache while all rows read it.
  for (int64_t strip = 0; strip < block.columns; strip += strideAlignment) {
    int64_t width = std::min(strideAlignment, block.columns - strip);
    for (int64_t a = 0; a < count; ++a) {
      bool occurs = false;
      for (int64_t r = 0; r < rows; ++r) {
        const PositionsByCode &lists = byCode[r];
        int64_t length = lists.begin[a + 1] - lists.begin[a];
        occurs |= length != 0;
        sumRows(&inputs.getMatrix()[strip], inputs.getStride(),
                &lists.positions[lists.begin[a]], length,
                &sums[r * strideAlignment]);
      }
      if (!occurs) {
        continue;
      }
      mixRows(rows, &block.coupling[first * block.rows + first], block.rows,
              sums.data(), mixed.data());
      const uint8_t *codes = &block.codes[strip * block.rows + first];
      for (int64_t j = 0; j < width; ++j) {
        for (int64_t r = 0; r < rows; ++r) {
          metric[a * count + codes[j * block.rows + r]] +=
              mixed[r * strideAlignment + j];
        }
      }
    }
  }
  return metric;
}

/// Half the objective's derivative in a table's entries.
static std::vector<double> getSlope(const RowBlock &block,
                                    const SecondMoment &inputs, int64_t group) {
  int64_t first = block.getFirstRow(group);
  int64_t rows = block.getEndRow(group) - first;
  std::vector<float> gradient(block.columns * rows);
  multiply({inputs.getMatrix().data(), inputs.getStride()},
           {&block.mixed[first], block.rows}, gradient.data(), rows,
           block.columns, rows, block.columns);
  std::vector<double> slope(block.tables.count);
  for (int64_t p = 0; p < block.columns; ++p) {
    for (int64_t r = 0; r < rows; ++r) {
      slope[block.codes[p * block.rows + first + r]] += gradient[p * rows + r];
    }
  }
  return slope;
}

/// Gives a table's rows the errors that its entries now make.
static void updateErrors(RowBlock &block, int64_t group) {
  int64_t first = block.getFirstRow(group);
  int64_t rows = block.getEndRow(group) - first;
  llvm::ArrayRef<int8_t> entries = block.tables.getEntries(group);
  float scale = block.tables.getScale(group);
  std::vector<float> change(block.columns * rows);
  for (int64_t p = 0; p < block.columns; ++p) {
    for (int64_t r = 0; r < rows; ++r) {
      int64_t i = p * block.rows + first + r;
      float error = entries[block.codes[i]] * scale - block.weights[i];
      change[p * rows + r] = error - block.errors[i];
      block.errors[i] = error;
    }
  }
  multiply({change.data(), rows},
           {&block.coupling[first * block.rows], block.rows},
           block.mixed.data(), block.rows, block.columns, block.rows, rows,
           /*factor=*/1, /*add=*/1);
}

/// The change of the objective when a table's entries change by `step`.
static double getChange(llvm::ArrayRef<double> metric,
                        llvm::ArrayRef<double> slope,
                        llvm::ArrayRef<double> step) {
  double change = 0;
  for (size_t a = 0; a < step.size(); ++a) {
    double product = 2 * slope[a];
    for (size_t b = 0; b < step.size(); ++b) {
      product += metric[a * step.size() + b] * step[b];
    }
    change += product * step[a];
  }
  return change;
}

static std::vector<double> getValues(const Tables &tables, int64_t group) {
  std::vector<double> values;
  for (int8_t entry : tables.getEntries(group)) {
    values.push_back(entry * tables.getScale(group));
  }
  return values;
}

void fitTables(RowBlock &block, const SecondMoment &inputs) {
  int64_t count = block.tables.count;
  for (int64_t g = 0; g < block.getGroups(); ++g) {
    std::vector<double> metric = getMetric(block, inputs, g);
    std::vector<double> slope = getSlope(block, inputs, g);
    std::vector<double> old = getValues(block.tables, g);

    // A little more on the diagonal keeps entries without weights where they
    // are, and two that always come together from drifting apart.
    std::vector<double> ridged = metric;
    double trace = 0;
    for (int64_t a = 0; a < count; ++a) {
      trace += metric[a * count + a];
    }
    for (int64_t a = 0; a < count; ++a) {
      ridged[a * count + a] += 1e-6 * trace / count;
    }
    std::vector<double> target = slope;
    if (!solveInPlace(ridged, target)) {
      continue;
    }
    for (int64_t a = 0; a < count; ++a) {
      target[a] = old[a] - target[a];
    }

    Tables rounded(1, count);
    rounded.round(0, target, metric);
    std::vector<double> step = getValues(rounded, 0);
    for (int64_t a = 0; a < count; ++a) {
      step[a] -= old[a];
    }
    if (getChange(metric, slope, step) < 0) {
      block.tables.copy(g, rounded, 0);
      updateErrors(block, g);
    }
  }
}

} // namespace umber::palette
