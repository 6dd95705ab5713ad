// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/BestOfTables.h"
#include <algorithm>
#include <limits>
#include <numeric>

namespace umber::palette {

BestOfTables::BestOfTables(const RowBlock &block)
    : objective(block.getGroups(), std::numeric_limits<double>::infinity()),
      codes(block.codes), errors(block.errors), tables(block.tables) {}

void BestOfTables::take(const RowBlock &block,
                        llvm::ArrayRef<double> candidate) {
  for (int64_t g = 0; g < block.getGroups(); ++g) {
    if (!(candidate[g] < objective[g])) {
      continue;
    }
    objective[g] = candidate[g];
    tables.copy(g, block.tables, g);
    int64_t first = block.getFirstRow(g), rows = block.getEndRow(g) - first;
    for (int64_t p = 0; p < block.columns; ++p) {
      int64_t at = p * block.rows + first;
      std::copy_n(&block.codes[at], rows, &codes[at]);
      std::copy_n(&block.errors[at], rows, &errors[at]);
    }
  }
}

void BestOfTables::restore(RowBlock &block) const {
  block.codes = codes;
  block.errors = errors;
  block.tables = tables;
}

double BestOfTables::getObjective() const {
  return std::accumulate(objective.begin(), objective.end(), 0.0);
}

} // namespace umber::palette
