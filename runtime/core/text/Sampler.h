// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chooses the next token from the model's logits.

#ifndef UMBER_RUNTIME_CORE_TEXT_SAMPLER_H
#define UMBER_RUNTIME_CORE_TEXT_SAMPLER_H

#include "runtime/package/Status.h"

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace umber {

/// Names, defaults and order (penalty, top-k, top-p, min-p, temperature) are
/// llama.cpp's.
struct SamplerOptions {
  /// Zero or less: greedy, the most likely token; nothing but the repetition
  /// penalty then has a say.
  float temperature = 0.8f;
  /// Keep the k most likely tokens; zero or less keeps all.
  int32_t topK = 40;
  /// Keep the fewest tokens whose probabilities add up to this; 1 keeps all.
  float topP = 0.95f;
  /// Keep tokens at least this fraction as likely as the most likely one; 0
  /// keeps all.
  float minP = 0.05f;
  /// Divides positive and multiplies negative logits of recent tokens; 1 is
  /// off.
  float repeatPenalty = 1.0f;
  /// How many accepted tokens count as recent; -1 counts all of them.
  int32_t repeatLastN = 64;
  uint64_t seed = 0;
};

/// For one sequence: not to be shared by threads. Equal options, logits and
/// accepted tokens give equal choices, on any platform whose exp and log round
/// alike. After the first call nothing is allocated, except by accept() when
/// `repeatLastN` is -1.
class Sampler {
public:
  /// InvalidArgument for an option out of range, named, or no vocabulary.
  static Result<Sampler> create(const SamplerOptions &options,
                                int32_t vocabularySize);

  /// Chooses from `vocabularySize` logits. A logit of minus infinity excludes
  /// its token. InvalidArgument, naming the token, for NaN or plus infinity,
  /// and when every token is excluded. Of equally likely tokens the lowest id
  /// comes first.
  Result<int32_t> sample(const float *logits);

  /// Counts a token, of the prompt or chosen, as recent. Ids outside the
  /// vocabulary are ignored.
  void accept(int32_t id);

private:
  struct Candidate {
    float logit;
    int32_t id;
  };

  Sampler() = default;

  Status check(const float *logits, int32_t &best) const;
  const float *applyPenalty(const float *logits);
  void collect(const float *logits);
  void keepTopK(const float *logits);
  void keepTopP();
  void keepMinP();
  int32_t draw();
  void sortPrefix(size_t count);

  SamplerOptions options;
  int32_t vocabularySize = 0;
  /// mt19937_64's output is fixed by the C++ standard; the library's
  /// distributions, which are not, stay unused.
  std::mt19937_64 random;
  std::vector<Candidate> candidates;
  /// How many of the candidates, from the front, are in order.
  size_t sorted = 0;
  std::vector<float> penalized;
  /// A ring when `repeatLastN` is positive.
  std::vector<int32_t> recent;
  size_t recentNext = 0;
  /// The pass in which a token was last penalized: once a pass is enough.
  std::vector<uint64_t> penalizedIn;
  uint64_t pass = 0;
};

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_SAMPLER_H
