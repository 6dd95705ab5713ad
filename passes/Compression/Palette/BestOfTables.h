// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_PASSES_COMPRESSION_PALETTE_BESTOFTABLES_H
#define UMBER_PASSES_COMPRESSION_PALETTE_BESTOFTABLES_H

#include "passes/Compression/Palette/RowBlock.h"

namespace umber::palette {

/// The best state of each table of a block, and its codes, among those seen.
class BestOfTables {
public:
  explicit BestOfTables(const RowBlock &block);

  /// Keeps the state of those tables whose objective is the lowest so far.
  void take(const RowBlock &block, llvm::ArrayRef<double> objective);

  /// Puts all tables, codes and errors back to what was best.
  void restore(RowBlock &block) const;

  /// Summed over the tables.
  double getObjective() const;

private:
  std::vector<double> objective;
  std::vector<uint8_t> codes;
  std::vector<float> errors;
  Tables tables;
};

} // namespace umber::palette

#endif // UMBER_PASSES_COMPRESSION_PALETTE_BESTOFTABLES_H
