// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-eval/Statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace umber::tools {

uint32_t mostProbable(const float *logits, size_t count) {
  return static_cast<uint32_t>(std::max_element(logits, logits + count) -
                               logits);
}

double logSumExp(const float *logits, size_t count) {
  double largest = logits[mostProbable(logits, count)], sum = 0.0;
  for (size_t i = 0; i < count; ++i) {
    sum += std::exp(logits[i] - largest);
  }
  return largest + std::log(sum);
}

double klDivergence(const float *reference, const float *logits, size_t count) {
  // With p = exp(r - R) and q = exp(l - L), the sum is Σ p (r - l) - R + L;
  // both are shifted by their maxima, so that what is subtracted is small.
  double referenceMax = reference[mostProbable(reference, count)];
  double max = logits[mostProbable(logits, count)];
  double referenceSum = 0.0, sum = 0.0, weighted = 0.0;
  for (size_t i = 0; i < count; ++i) {
    double r = reference[i] - referenceMax, l = logits[i] - max;
    double p = std::exp(r);
    referenceSum += p;
    sum += std::exp(l);
    if (p != 0.0) { // 0 log 0 is 0
      weighted += p * (r - l);
    }
  }
  double divergence =
      weighted / referenceSum - std::log(referenceSum) + std::log(sum);
  // Rounding can take equal predictions a little below 0; NaN must stay.
  return divergence < 0.0 ? 0.0 : divergence;
}

SparsePrediction sparsify(const float *logits, size_t count, size_t top) {
  SparsePrediction sparse;
  top = std::min(top, count);
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  auto better = [&](uint32_t a, uint32_t b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  };
  auto end = order.begin() + static_cast<ptrdiff_t>(top);
  std::nth_element(order.begin(), end, order.end(), better);
  std::sort(order.begin(), end, better);

  double normalizer = logSumExp(logits, count), rest = 0.0;
  std::for_each(end, order.end(), [&](uint32_t id) {
    rest += std::exp(logits[id] - normalizer);
  });
  sparse.logRest = static_cast<float>(std::log(rest));
  sparse.ids.assign(order.begin(), end);
  for (uint32_t id : sparse.ids) {
    sparse.logProbabilities.push_back(
        static_cast<float>(logits[id] - normalizer));
  }
  return sparse;
}

double klDivergence(const SparsePrediction &reference, const float *logits,
                    size_t count) {
  double normalizer = logSumExp(logits, count), divergence = 0.0;
  for (size_t i = 0; i < reference.ids.size(); ++i) {
    double logP = reference.logProbabilities[i];
    double logQ = logits[reference.ids[i]] - normalizer;
    divergence += std::exp(logP) * (logP - logQ);
  }
  if (reference.logRest > -std::numeric_limits<float>::infinity()) {
    // Added up, not 1 minus the others, which would leave only rounding errors
    // of a small rest.
    std::vector<uint32_t> listed = reference.ids;
    std::sort(listed.begin(), listed.end());
    auto next = listed.begin();
    double rest = 0.0;
    for (size_t i = 0; i < count; ++i) {
      if (next != listed.end() && *next == i) {
        ++next;
      } else {
        rest += std::exp(logits[i] - normalizer);
      }
    }
    double logP = reference.logRest;
    divergence += std::exp(logP) * (logP - std::log(rest));
  }
  return divergence < 0.0 ? 0.0 : divergence;
}

Estimate estimateMean(const std::vector<double> &values) {
  Estimate estimate;
  if (values.empty()) {
    return estimate;
  }
  double count = static_cast<double>(values.size());
  estimate.value = std::accumulate(values.begin(), values.end(), 0.0) / count;
  if (values.size() > 1) {
    double squares = 0.0;
    for (double value : values) {
      squares += (value - estimate.value) * (value - estimate.value);
    }
    estimate.error = std::sqrt(squares / count / (count - 1));
  }
  return estimate;
}

Estimate estimatePerplexity(const std::vector<double> &negativeLogs) {
  Estimate mean = estimateMean(negativeLogs);
  double perplexity = std::exp(mean.value);
  return {perplexity, perplexity * mean.error};
}

Estimate estimateProportion(size_t hits, size_t count) {
  Estimate estimate;
  if (count > 0) {
    estimate.value = static_cast<double>(hits) / static_cast<double>(count);
  }
  if (count > 1) {
    estimate.error = std::sqrt(estimate.value * (1.0 - estimate.value) /
                               static_cast<double>(count - 1));
  }
  return estimate;
}

double quantile(std::vector<double> values, double fraction) {
  std::sort(values.begin(), values.end());
  double at = fraction * static_cast<double>(values.size() - 1);
  size_t below = static_cast<size_t>(at);
  size_t above = std::min(below + 1, values.size() - 1);
  double part = at - static_cast<double>(below);
  return values[below] + part * (values[above] - values[below]);
}

} // namespace umber::tools
