// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/Allocation.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <limits>

namespace umber {

/// How many decisions are kept, a byte each, and how many per matrix.
constexpr int64_t kMaxCells = int64_t(1) << 26, kMaxSteps = int64_t(1) << 20;

/// Spends what is left of the budget, a matrix at a time.
static void spend(llvm::ArrayRef<std::vector<StorageChoice>> matrices,
                  int64_t left, std::vector<size_t> &chosen) {
  while (true) {
    size_t best = matrices.size(), bestChoice = 0;
    double bestGain = 0;
    for (size_t m = 0; m < matrices.size(); ++m) {
      const StorageChoice &now = matrices[m][chosen[m]];
      for (size_t c = 0; c < matrices[m].size(); ++c) {
        int64_t cost = matrices[m][c].bytes - now.bytes;
        double gain = (now.error - matrices[m][c].error) /
                      static_cast<double>(std::max<int64_t>(cost, 1));
        if (cost <= left && gain > bestGain) {
          best = m;
          bestChoice = c;
          bestGain = gain;
        }
      }
    }
    if (best == matrices.size()) {
      return;
    }
    left -=
        matrices[best][bestChoice].bytes - matrices[best][chosen[best]].bytes;
    chosen[best] = bestChoice;
  }
}

std::optional<std::vector<size_t>>
allocate(llvm::ArrayRef<std::vector<StorageChoice>> matrices, int64_t budget) {
  // What remains above the smallest choices is what there is to decide about.
  std::vector<int64_t> smallest;
  int64_t spare = budget;
  for (const std::vector<StorageChoice> &choices : matrices) {
    int64_t least = std::numeric_limits<int64_t>::max();
    for (const StorageChoice &choice : choices) {
      least = std::min(least, choice.bytes);
    }
    smallest.push_back(least);
    spare -= least;
  }
  if (spare < 0) {
    return std::nullopt;
  }
  int64_t maxSteps =
      std::min(kMaxCells / std::max<int64_t>(matrices.size(), 1), kMaxSteps);
  int64_t stepBytes = llvm::divideCeil(spare + 1, maxSteps);
  int64_t steps = spare / stepBytes + 1;

  // errors[s]: the least error of the matrices so far with at most s steps.
  std::vector<double> errors(steps, 0.0), next(steps);
  std::vector<uint8_t> taken(matrices.size() * steps);
  for (size_t m = 0; m < matrices.size(); ++m) {
    std::fill(next.begin(), next.end(),
              std::numeric_limits<double>::infinity());
    uint8_t *choiceAt = &taken[m * steps];
    std::vector<size_t> order(matrices[m].size());
    for (size_t c = 0; c < order.size(); ++c) {
      order[c] = c;
    }
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return matrices[m][a].bytes < matrices[m][b].bytes;
    });
    for (size_t c : order) {
      const StorageChoice &choice = matrices[m][c];
      int64_t cost = llvm::divideCeil(choice.bytes - smallest[m], stepBytes);
      for (int64_t s = cost; s < steps; ++s) {
        double error = errors[s - cost] + choice.error;
        if (error < next[s]) {
          next[s] = error;
          choiceAt[s] = c;
        }
      }
    }
    std::swap(errors, next);
  }

  // As few bytes as reach the least error.
  int64_t s = std::lower_bound(errors.begin(), errors.end(), errors.back(),
                               std::greater<double>()) -
              errors.begin();
  std::vector<size_t> chosen(matrices.size());
  for (size_t m = matrices.size(); m-- > 0;) {
    chosen[m] = taken[m * steps + s];
    int64_t extra = matrices[m][chosen[m]].bytes - smallest[m];
    s -= llvm::divideCeil(extra, stepBytes);
    spare -= extra;
  }
  spend(matrices, spare, chosen);
  return chosen;
}

std::optional<std::vector<size_t>>
spreadEvenly(llvm::ArrayRef<std::vector<StorageChoice>> matrices,
             int64_t budget) {
  // Choices in the order of their bytes.
  std::vector<std::vector<size_t>> orders;
  int64_t least = 0;
  for (const std::vector<StorageChoice> &choices : matrices) {
    std::vector<size_t> &order = orders.emplace_back(choices.size());
    for (size_t c = 0; c < order.size(); ++c) {
      order[c] = c;
    }
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return choices[a].bytes < choices[b].bytes;
    });
    least += choices[order.front()].bytes;
  }
  if (least > budget) {
    return std::nullopt;
  }
  std::vector<size_t> chosen;
  // Of the matrices so far: their bytes, and their least bytes.
  int64_t bytes = 0, leastSoFar = 0;
  for (size_t m = 0; m < matrices.size(); ++m) {
    leastSoFar += matrices[m][orders[m].front()].bytes;
    double part = double(budget) * (double(leastSoFar) / double(least));
    size_t best = orders[m].front();
    for (size_t c : orders[m]) {
      if (double(bytes + matrices[m][c].bytes) <= part) {
        best = c;
      }
    }
    bytes += matrices[m][best].bytes;
    chosen.push_back(best);
  }
  for (size_t m = 0; m < matrices.size(); ++m) {
    for (size_t c : orders[m]) {
      int64_t more = matrices[m][c].bytes - matrices[m][chosen[m]].bytes;
      if (more > 0 && bytes + more <= budget) {
        bytes += more;
        chosen[m] = c;
      }
    }
  }
  return chosen;
}

double getMarginalGain(llvm::ArrayRef<std::vector<StorageChoice>> matrices,
                       llvm::ArrayRef<size_t> chosen) {
  double best = 0;
  for (size_t m = 0; m < matrices.size(); ++m) {
    const StorageChoice &now = matrices[m][chosen[m]];
    for (const StorageChoice &choice : matrices[m]) {
      if (choice.bytes > now.bytes) {
        best = std::max(best, (now.error - choice.error) /
                                  double(choice.bytes - now.bytes));
      }
    }
  }
  return best;
}

} // namespace umber
