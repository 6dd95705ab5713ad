// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/Refine.h"
#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include "passes/Compression/Palette/BestOfTables.h"
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

/// The objective's second derivative in a table's entries, halved: metric[a, b]
/// is the sum of importance * H[i, j] over the table's rows and the positions i
/// with code a, j with code b.
static std::vector<double>
getMetric(const RowBlock &block, const SecondMoment &moment, int64_t group) {
  int64_t count = block.tables.count;
  int64_t first = block.getFirstRow(group), end = block.getEndRow(group);
  std::vector<PositionsByCode> byCode;
  for (int64_t r = first; r < end; ++r) {
    byCode.emplace_back(block, r);
  }
  std::vector<double> metric(count * count);
  float sum[strideAlignment];
  // A strip of the second moment stays in the cache while all rows read it.
  for (int64_t strip = 0; strip < block.columns; strip += strideAlignment) {
    int64_t width = std::min(strideAlignment, block.columns - strip);
    for (int64_t r = first; r < end; ++r) {
      const PositionsByCode &lists = byCode[r - first];
      const uint8_t *codes = &block.codes[strip * block.rows + r];
      for (int64_t a = 0; a < count; ++a) {
        int64_t length = lists.begin[a + 1] - lists.begin[a];
        if (length == 0) {
          continue;
        }
        sumRows(&moment.getMatrix()[strip], moment.getStride(),
                &lists.positions[lists.begin[a]], length, sum);
        for (int64_t j = 0; j < width; ++j) {
          metric[a * count + codes[j * block.rows]] +=
              block.importance[r] * sum[j];
        }
      }
    }
  }
  return metric;
}

/// Half the objective's derivative in a table's entries.
static std::vector<double>
getSlope(const RowBlock &block, llvm::ArrayRef<float> gradient, int64_t group) {
  std::vector<double> slope(block.tables.count);
  for (int64_t p = 0; p < block.columns; ++p) {
    for (int64_t r = block.getFirstRow(group); r < block.getEndRow(group);
         ++r) {
      int64_t i = p * block.rows + r;
      slope[block.codes[i]] += double(block.importance[r]) * gradient[i];
    }
  }
  return slope;
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

void fitTables(RowBlock &block, const SecondMoment &moment,
               llvm::ArrayRef<float> gradient) {
  int64_t count = block.tables.count;
  for (int64_t g = 0; g < block.getGroups(); ++g) {
    std::vector<double> metric = getMetric(block, moment, g);
    std::vector<double> slope = getSlope(block, gradient, g);
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
    if (getChange(metric, slope, step) >= 0) {
      continue;
    }
    block.tables.copy(g, rounded, 0);
    float scale = rounded.getScale(0);
    for (int64_t p = 0; p < block.columns; ++p) {
      for (int64_t r = block.getFirstRow(g); r < block.getEndRow(g); ++r) {
        int64_t i = p * block.rows + r;
        block.errors[i] =
            rounded.entries[block.codes[i]] * scale - block.weights[i];
      }
    }
  }
}

std::vector<double> refine(RowBlock &block, const SecondMoment &moment,
                           int rounds, int passes) {
  BestOfTables best(block);
  std::vector<float> gradient;
  best.take(block, getObjective(block, moment, gradient));
  std::vector<double> course{best.getObjective()};
  for (int round = 0; round < rounds; ++round) {
    fitTables(block, moment, gradient);
    for (int pass = 0; pass < passes; ++pass) {
      descend(block, moment);
    }
    best.take(block, getObjective(block, moment, gradient));
    course.push_back(best.getObjective());
  }
  best.restore(block);
  return course;
}

} // namespace umber::palette
