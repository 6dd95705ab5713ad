// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How probable a text is to a model, and how far apart two models' predictions
// are. All logarithms are natural; the estimates and their errors are those of
// llama-perplexity.

#ifndef UMBER_TOOLS_UMBER_EVAL_STATISTICS_H
#define UMBER_TOOLS_UMBER_EVAL_STATISTICS_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace umber::tools {

/// log Σ exp(logit): the logarithm of token i's probability is logits[i] minus
/// this. Not finite if a logit is NaN or +∞.
double logSumExp(const float *logits, size_t count);

/// The most probable token, the first of equals.
uint32_t mostProbable(const float *logits, size_t count);

/// KL(p‖q) = Σ p log(p/q), where p and q are the softmax of `reference` and of
/// `logits`. Not finite where the logits are not.
double klDivergence(const float *reference, const float *logits, size_t count);

/// A prediction by its most probable tokens and the mass of all others.
struct SparsePrediction {
  std::vector<uint32_t> ids;           ///< best first
  std::vector<float> logProbabilities; ///< of `ids`
  float logRest = 0.0f;                ///< -∞ if there are no others
};

/// Keeps `top` tokens, or all if there are fewer.
SparsePrediction sparsify(const float *logits, size_t count, size_t top);

/// KL(p‖q) after p's other tokens have been made one outcome, in p and in q. By
/// the log sum inequality this is at most the full divergence, and the same
/// where the rest of q is proportional to the rest of p.
double klDivergence(const SparsePrediction &reference, const float *logits,
                    size_t count);

struct Estimate {
  double value = 0.0;
  double error = 0.0; ///< one standard error; 0 for fewer than two values
};

/// The mean; its error is the values' standard deviation over √(n - 1).
Estimate estimateMean(const std::vector<double> &values);
/// exp of the mean of -log p; the error is carried over to first order.
Estimate estimatePerplexity(const std::vector<double> &negativeLogs);
/// Of `hits` among `count`; the error is √(p(1 - p)/(n - 1)).
Estimate estimateProportion(size_t hits, size_t count);
/// The value below which a fraction of the values is, between the two nearest
/// ones by linear interpolation. `values` must not be empty.
double quantile(std::vector<double> values, double fraction);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_EVAL_STATISTICS_H
