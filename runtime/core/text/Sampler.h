// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_RUNTIME_CORE_TEXT_SAMPLER_H
#define UMBER_RUNTIME_CORE_TEXT_SAMPLER_H

#include "runtime/drivers/Candidate.h"
#include "runtime/package/Status.h"

#include <cstddef>
#include <random>
#include <vector>

namespace umber {

/// Names, defaults and order of the steps are llama.cpp's.
struct SamplerOptions {
  float temperature = 0.8f;   ///< 0 or less: always the most probable token
  int32_t topK = 40;          ///< keep the k most probable; 0: all
  float topP = 0.95f;         ///< keep the smallest set with this mass; 1: all
  float minP = 0.05f;         ///< drop what is below this part of the best
  float repeatPenalty = 1.0f; ///< above 1: tokens seen lately are less probable
  int32_t repeatLastN = 64;   ///< how many tokens back the penalty looks
  uint64_t seed = 0;
};

/// Picks tokens. The same seed, logits and options give the same tokens on
/// every platform. One thread at a time.
class Sampler {
public:
  /// InvalidArgument: an option is out of its range or not a number.
  static Result<Sampler> create(const SamplerOptions &options);

  /// Picks from `count` logits; ties go to the lowest id. InvalidArgument: a
  /// logit is not a number, or all are minus infinity.
  Result<int32_t> sample(const float *logits, size_t count);
  /// How many of `vocab` logits, the first in the order of IsBefore, have all
  /// that the next token depends on.
  size_t candidatesNeeded(size_t vocab) const;
  /// The same as sample() of all logits, of which these are the first `count`,
  /// at least as many as are needed.
  Result<int32_t> sampleCandidates(const Candidate *first, size_t count);
  /// Notes a token of the sequence for the repetition penalty; sample() notes
  /// its own.
  void accept(int32_t id);
  /// Forgets the sequence and starts again from the seed.
  void reset();

private:
  explicit Sampler(const SamplerOptions &options);
  /// Of the candidates, which are some or all tokens.
  Result<int32_t> pick();
  void penalise();
  void keepTopK(size_t k);
  void keepTopP();
  void keepMinP();
  int32_t draw();

  SamplerOptions options;
  std::mt19937_64 random; ///< its output is fixed by the standard
  std::vector<int32_t> recent;
  size_t recentNext = 0;
  std::vector<Candidate> candidates;
};

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_SAMPLER_H
