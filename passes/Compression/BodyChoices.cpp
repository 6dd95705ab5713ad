// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/BodyChoices.h"
#include "dialects/Umber/Parameters/StoredSize.h"
#include "passes/Compression/MatrixEncoder.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber {

/// Those that a budget may use: each takes time to measure.
static SmallVector<int64_t> getUsualWidths(double bits) {
  if (bits < 2.2) {
    return {1, 2, 3, 4};
  }
  if (bits < 4.2) {
    return {2, 3, 4, 8};
  }
  return {3, 4, 6, 8, 16};
}

std::vector<std::vector<StorageChoice>> getChoices(const ModelBody &parts,
                                                   ArrayRef<int64_t> widths) {
  std::vector<std::vector<StorageChoice>> matrices;
  for (ParamOp param : parts.body) {
    std::vector<StorageChoice> &matrix = matrices.emplace_back();
    for (int64_t width : widths) {
      matrix.push_back(
          {getStoredBytes(MatrixEncoder::getType(param.getTensorType(), width)),
           0.0});
    }
  }
  return matrices;
}

int64_t getLeastBytes(ArrayRef<std::vector<StorageChoice>> matrices) {
  int64_t least = 0;
  for (const std::vector<StorageChoice> &matrix : matrices) {
    least += llvm::min_element(matrix, [](const auto &a, const auto &b) {
               return a.bytes < b.bytes;
             })->bytes;
  }
  return least;
}

SmallVector<int64_t> getBudgetWidths(const ModelBody &parts, double bits,
                                     ArrayRef<int64_t> choices) {
  SmallVector<int64_t> widths(choices);
  if (widths.empty()) {
    widths = getUsualWidths(bits);
    auto budget = int64_t(bits * double(parts.weights) / 8);
    if (getLeastBytes(getChoices(parts, widths)) > budget) {
      // Small matrices take more than their width for tables and padding.
      widths = {1, 2, 3, 4};
    }
  }
  llvm::sort(widths);
  widths.erase(llvm::unique(widths), widths.end());
  return widths;
}

} // namespace umber
