// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tables from the weights alone, before any code is chosen.

#ifndef UMBER_PASSES_COMPRESSION_PALETTE_KMEANS_H
#define UMBER_PASSES_COMPRESSION_PALETTE_KMEANS_H

#include "passes/Compression/Palette/RowBlock.h"
#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <utility>
#include <vector>

namespace umber::palette {

/// A number and its weight, which is not negative.
using WeightedPoint = std::pair<float, float>;

/// Centres of a weighted one-dimensional k-means, ascending, and the weight
/// that is nearest to each.
struct Clusters {
  std::vector<double> centres, weights;
};

/// At most `count` clusters that minimise the sum of weight times squared
/// distance to the nearest centre; exactly so for up to 512 different points,
/// otherwise from the optimum for a histogram of them (up to 16 clusters) or
/// from quantiles at the density of an optimal quantizer, by Lloyd's iteration.
/// The rest of `count` centres repeat the last, with weight 0. Sorts `points`.
Clusters cluster(std::vector<WeightedPoint> &points, int64_t count);

/// Sets a block's tables by k-means over each table's rows; `positionWeights`
/// has the weight of each position's squared error, to which the row's
/// importance is a factor.
void kMeansTables(RowBlock &block, llvm::ArrayRef<float> positionWeights);

} // namespace umber::palette

#endif // UMBER_PASSES_COMPRESSION_PALETTE_KMEANS_H
