// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Palette/KMeans.h"
#include "test/Unit/Palette/RandomMatrices.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace umber::palette;

static double getCost(const std::vector<WeightedPoint> &points,
                      const std::vector<double> &centres) {
  double cost = 0;
  for (auto [x, weight] : points) {
    double nearest = std::numeric_limits<double>::infinity();
    for (double centre : centres) {
      nearest = std::min(nearest, (x - centre) * (x - centre));
    }
    cost += weight * nearest;
  }
  return cost;
}

/// The least cost of cutting `points`, ascending, from `begin` on into
/// `count` runs: every cut is tried.
static double searchAll(const std::vector<WeightedPoint> &points, size_t begin,
                        int count) {
  double weight = 0, first = 0, second = 0;
  double best = std::numeric_limits<double>::infinity();
  for (size_t end = begin; end < points.size(); ++end) {
    auto [x, w] = points[end];
    weight += w;
    first += w * x;
    second += double(w) * x * x;
    double cost = weight > 0 ? second - first * first / weight : 0;
    if (end + 1 == points.size()) {
      best = std::min(best, cost);
    } else if (count > 1) {
      best = std::min(best, cost + searchAll(points, end + 1, count - 1));
    }
  }
  return best;
}

TEST(KMeans, FindsTheOptimumOfFewPoints) {
  Random random(1);
  for (int trial = 0; trial < 40; ++trial) {
    std::vector<WeightedPoint> points;
    int size = 3 + trial % 10, count = 1 + trial % 4;
    for (int i = 0; i < size; ++i) {
      points.emplace_back(random.get(), std::abs(random.get()));
    }
    Clusters clusters = cluster(points, count);
    EXPECT_EQ(clusters.centres.size(), size_t(count));
    EXPECT_TRUE(
        std::is_sorted(clusters.centres.begin(), clusters.centres.end()));
    EXPECT_NEAR(getCost(points, clusters.centres), searchAll(points, 0, count),
                1e-5);
  }
}

TEST(KMeans, IsNearTheKnownErrorOfNormalNumbers) {
  // Max 1960, table I: the mean squared error of the optimal quantizer of a
  // normal distribution of variance 1; these numbers have lighter tails.
  constexpr double errors[] = {1, 0.3634, 0.1175, 0.03454, 0.009497};
  Random random(2);
  for (int bits = 1; bits <= 4; ++bits) {
    std::vector<WeightedPoint> points;
    for (float value : random.get(20000)) {
      points.emplace_back(value, 1.0f);
    }
    Clusters clusters = cluster(points, 1 << bits);
    EXPECT_NEAR(getCost(points, clusters.centres) / points.size(), errors[bits],
                0.1 * errors[bits]);
  }
}

TEST(KMeans, ServesManyCentres) {
  Random random(3);
  std::vector<WeightedPoint> points;
  for (float value : random.get(20000)) {
    points.emplace_back(value, 1.0f);
  }
  // Six decibels per bit from 16 centres on.
  Clusters clusters = cluster(points, 64);
  EXPECT_LT(getCost(points, clusters.centres) / points.size(), 0.0009);
}

TEST(KMeans, KeepsPointsThatAreFewerThanCentres) {
  std::vector<WeightedPoint> points{{2, 1}, {-1, 0.5}, {2, 3}};
  Clusters clusters = cluster(points, 4);
  EXPECT_EQ(clusters.centres, (std::vector<double>{-1, 2, 2, 2}));
  EXPECT_EQ(clusters.weights, (std::vector<double>{0.5, 4, 0, 0}));
}

TEST(KMeans, TakesPointsWithoutWeight) {
  std::vector<WeightedPoint> points{{3, 0}, {1, 0}};
  Clusters clusters = cluster(points, 2);
  EXPECT_EQ(clusters.centres.size(), 2u);
  for (double centre : clusters.centres) {
    EXPECT_TRUE(centre >= 1 && centre <= 3);
  }
}
