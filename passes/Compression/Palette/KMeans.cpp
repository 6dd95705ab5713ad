// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/KMeans.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace umber::palette {

namespace {

/// How many bins stand for the points while centres are sought.
constexpr int64_t maxBins = 512;

/// Up to so many centres are placed by dynamic programming, whose cost grows
/// with their number, while what it gains over quantiles shrinks.
constexpr int64_t maxOptimalCentres = 16;

/// Prefix sums over ascending points: any run's centre and cost in O(1).
struct Prefix {
  std::vector<double> weight{0}, first{0}, second{0};

  void add(double w, double x) {
    weight.push_back(weight.back() + w);
    first.push_back(first.back() + w * x);
    second.push_back(second.back() + w * x * x);
  }
  double getWeight(size_t begin, size_t end) const {
    return weight[end] - weight[begin];
  }
  double getMoment(size_t begin, size_t end) const {
    return first[end] - first[begin];
  }
  double getCost(size_t begin, size_t end) const {
    double w = getWeight(begin, end), m = getMoment(begin, end);
    return w > 0 ? second[end] - second[begin] - m * m / w : 0;
  }
};

/// One layer of the dynamic programme: the best cost of the first i bins with
/// one cluster more. Its best cut moves up with i, so that halves are searched
/// between their neighbours' cuts (divide and conquer).
struct Layer {
  const Prefix &prefix;
  const std::vector<double> &before;
  std::vector<double> &cost;
  std::vector<int32_t> &cut;

  void fill(int64_t begin, int64_t end, int64_t low, int64_t high) {
    if (begin >= end) {
      return;
    }
    int64_t middle = (begin + end) / 2;
    cost[middle] = std::numeric_limits<double>::infinity();
    for (int64_t c = low; c <= std::min(high, middle); ++c) {
      double total = before[c] + prefix.getCost(c, middle);
      if (total < cost[middle]) {
        cost[middle] = total;
        cut[middle] = c;
      }
    }
    fill(begin, middle, low, cut[middle]);
    fill(middle + 1, end, cut[middle], high);
  }
};

} // namespace

/// The bins at which the optimal clusters begin, ascending from 0.
static std::vector<int64_t> findOptimalCuts(const Prefix &bins, int64_t count) {
  int64_t size = bins.weight.size() - 1;
  std::vector<double> before(size + 1), cost(size + 1);
  for (int64_t i = 0; i <= size; ++i) {
    before[i] = bins.getCost(0, i);
  }
  std::vector<std::vector<int32_t>> cuts;
  for (int64_t k = 1; k < count; ++k) {
    cuts.emplace_back(size + 1);
    Layer{bins, before, cost, cuts.back()}.fill(0, size + 1, 0, size);
    std::swap(before, cost);
  }
  std::vector<int64_t> starts;
  int64_t end = size;
  for (auto cut = cuts.rbegin(); cut != cuts.rend(); ++cut) {
    end = (*cut)[end];
    starts.push_back(end);
  }
  starts.push_back(0);
  std::reverse(starts.begin(), starts.end());
  return starts;
}

/// Cuts between which the cube root of the bins' mass is equal: the density of
/// centres that is best for many of them (Panter and Dite 1951).
static std::vector<int64_t> findQuantileCuts(const Prefix &bins,
                                             int64_t count) {
  int64_t size = bins.weight.size() - 1;
  std::vector<double> sum{0};
  for (int64_t i = 0; i < size; ++i) {
    sum.push_back(sum.back() + std::cbrt(bins.getWeight(i, i + 1)));
  }
  std::vector<int64_t> starts;
  for (int64_t k = 0; k < count; ++k) {
    starts.push_back(
        std::lower_bound(sum.begin(), sum.end(), sum.back() * k / count) -
        sum.begin());
  }
  return starts;
}

/// Moves the centres to the means of what is nearest to them until that no
/// longer changes.
static void iterateLloyd(llvm::ArrayRef<WeightedPoint> points,
                         const Prefix &prefix, Clusters &clusters) {
  std::vector<double> &centres = clusters.centres;
  clusters.weights.assign(centres.size(), 0);
  std::vector<size_t> cuts(centres.size() + 1), last;
  constexpr int maxIterations = 100;
  for (int i = 0; i < maxIterations; ++i) {
    cuts.back() = points.size();
    for (size_t c = 1; c < centres.size(); ++c) {
      double middle = (centres[c - 1] + centres[c]) / 2;
      cuts[c] =
          std::upper_bound(points.begin() + cuts[c - 1], points.end(), middle,
                           [](double value, const WeightedPoint &point) {
                             return value < point.first;
                           }) -
          points.begin();
    }
    if (cuts == last) {
      return;
    }
    for (size_t c = 0; c < centres.size(); ++c) {
      double weight = prefix.getWeight(cuts[c], cuts[c + 1]);
      clusters.weights[c] = weight;
      if (weight > 0) {
        centres[c] = prefix.getMoment(cuts[c], cuts[c + 1]) / weight;
      }
    }
    last = cuts;
  }
}

/// Sorts as the pairs' own order does, by integers in the same order: comparing
/// pairs of floats takes longer than all the rest here. Weights are not
/// negative.
static void sort(std::vector<WeightedPoint> &points) {
  constexpr uint32_t kSign = uint32_t(1) << 31;
  std::vector<uint64_t> keys;
  keys.reserve(points.size());
  for (auto [value, weight] : points) {
    uint32_t bits = llvm::bit_cast<uint32_t>(value);
    bits = bits & kSign ? ~bits : bits | kSign;
    keys.push_back(uint64_t(bits) << 32 | llvm::bit_cast<uint32_t>(weight));
  }
  std::sort(keys.begin(), keys.end());
  for (auto [point, key] : llvm::zip(points, keys)) {
    uint32_t bits = key >> 32;
    bits = bits & kSign ? bits & ~kSign : ~bits;
    point = {llvm::bit_cast<float>(bits),
             llvm::bit_cast<float>(static_cast<uint32_t>(key))};
  }
}

Clusters cluster(std::vector<WeightedPoint> &points, int64_t count) {
  sort(points);
  Prefix prefix, bins;
  int64_t different = 1;
  for (size_t i = 0; i < points.size(); ++i) {
    prefix.add(points[i].second, points[i].first);
    different += i != 0 && points[i].first != points[i - 1].first;
  }
  // Bins are equal in width; where there are few points, each is one.
  float low = points.front().first, high = points.back().first;
  double perWidth = high > low ? maxBins / (double(high) - low) : 0;
  auto getBin = [&](size_t i) {
    return std::floor((points[i].first - low) * perWidth);
  };
  for (size_t begin = 0, end; begin < points.size(); begin = end) {
    for (end = begin + 1; end < points.size(); ++end) {
      if (different <= maxBins ? points[end].first != points[begin].first
                               : getBin(end) != getBin(begin)) {
        break;
      }
    }
    double weight = prefix.getWeight(begin, end);
    bins.add(weight, weight > 0 ? prefix.getMoment(begin, end) / weight
                                : points[begin].first);
  }
  int64_t size = bins.weight.size() - 1;
  std::vector<int64_t> cuts = count <= maxOptimalCentres
                                  ? findOptimalCuts(bins, std::min(count, size))
                                  : findQuantileCuts(bins, count);
  cuts.push_back(size);
  Clusters clusters;
  for (size_t c = 0; c + 1 < cuts.size(); ++c) {
    double weight = bins.getWeight(cuts[c], cuts[c + 1]);
    if (weight > 0) {
      clusters.centres.push_back(bins.getMoment(cuts[c], cuts[c + 1]) / weight);
    }
  }
  if (clusters.centres.empty()) {
    clusters.centres.push_back(low); // no point has a weight
  }
  iterateLloyd(points, prefix, clusters);
  clusters.centres.resize(count, clusters.centres.back());
  clusters.weights.resize(count, 0);
  return clusters;
}

void kMeansTables(RowBlock &block, llvm::ArrayRef<float> positionWeights) {
  int64_t count = block.tables.count;
  std::vector<WeightedPoint> points;
  std::vector<double> metric(count * count);
  for (int64_t g = 0; g < block.getGroups(); ++g) {
    points.clear();
    for (int64_t position = 0; position < block.columns; ++position) {
      for (int64_t r = block.getFirstRow(g); r < block.getEndRow(g); ++r) {
        points.emplace_back(block.weights[position * block.rows + r],
                            positionWeights[position] * block.importance[r]);
      }
    }
    Clusters clusters = cluster(points, count);
    for (int64_t a = 0; a < count; ++a) {
      metric[a * count + a] = clusters.weights[a];
    }
    block.tables.round(g, clusters.centres, metric);
  }
}

} // namespace umber::palette
