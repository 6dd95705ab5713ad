// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/core/text/Sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace umber {

Result<Sampler> Sampler::create(const SamplerOptions &options) {
  auto bad = [](const char *name, const char *expected, float found) {
    return Status(StatusCode::InvalidArgument,
                  std::string("sampler: ") + name + ": expected " + expected +
                      ", found " + std::to_string(found));
  };
  if (!std::isfinite(options.temperature)) {
    return bad("temperature", "a number", options.temperature);
  }
  if (options.topK < 0) {
    return bad("top-k", "at least 0", float(options.topK));
  }
  if (!(options.topP > 0.0f && options.topP <= 1.0f)) {
    return bad("top-p", "more than 0 and at most 1", options.topP);
  }
  if (!(options.minP >= 0.0f && options.minP <= 1.0f)) {
    return bad("min-p", "0 to 1", options.minP);
  }
  if (!(options.repeatPenalty > 0.0f && std::isfinite(options.repeatPenalty))) {
    return bad("repetition penalty", "more than 0", options.repeatPenalty);
  }
  if (options.repeatLastN < 0 || options.repeatLastN > (1 << 24)) {
    return bad("repetition window", "0 to 16777216",
               float(options.repeatLastN));
  }
  return Sampler(options);
}

Sampler::Sampler(const SamplerOptions &options) : options(options) { reset(); }

void Sampler::reset() {
  random.seed(options.seed);
  recent.clear();
  recentNext = 0;
}

void Sampler::accept(int32_t id) {
  size_t window = size_t(options.repeatLastN);
  if (options.repeatPenalty == 1.0f || window == 0) {
    return;
  }
  if (recent.size() < window) {
    recent.push_back(id);
    return;
  }
  recent[recentNext] = id;
  recentNext = (recentNext + 1) % window;
}

Result<int32_t> Sampler::sample(const float *logits, size_t count) {
  candidates.resize(count);
  for (size_t i = 0; i < count; ++i) {
    candidates[i] = {int32_t(i), logits[i]};
  }
  return pick();
}

size_t Sampler::candidatesNeeded(size_t vocab) const {
  bool keepsAll = options.temperature > 0.0f && options.topK == 0;
  if (keepsAll || options.repeatPenalty < 1.0f) {
    return vocab;
  }
  // A penalty only takes tokens back, each at most to behind all others.
  size_t kept = options.temperature > 0.0f ? size_t(options.topK) : 1;
  size_t penalised =
      options.repeatPenalty > 1.0f ? size_t(options.repeatLastN) : 0;
  return std::min(kept + penalised, vocab);
}

Result<int32_t> Sampler::sampleCandidates(const Candidate *first,
                                          size_t count) {
  candidates.assign(first, first + count);
  return pick();
}

Result<int32_t> Sampler::pick() {
  float best = -INFINITY;
  for (const Candidate &candidate : candidates) {
    if (std::isnan(candidate.logit)) {
      return Status(StatusCode::InvalidArgument,
                    "sampler: the logit of token " +
                        std::to_string(candidate.id) + " is not a number");
    }
    best = std::max(best, candidate.logit);
  }
  if (!std::isfinite(best)) {
    return Status(StatusCode::InvalidArgument,
                  "sampler: expected a finite largest logit");
  }
  penalise();
  int32_t id;
  if (options.temperature <= 0.0f) {
    id = std::min_element(candidates.begin(), candidates.end(), IsBefore())->id;
  } else {
    keepTopK(options.topK > 0 ? size_t(options.topK) : candidates.size());
    keepTopP();
    keepMinP();
    id = draw();
  }
  accept(id);
  return id;
}

void Sampler::penalise() {
  for (size_t i = 0; i < recent.size(); ++i) {
    // A token counts once, however often it was seen (Keskar et al. 2019).
    auto own = recent.begin() + ptrdiff_t(i);
    if (std::find(recent.begin(), own, *own) != own) {
      continue;
    }
    // All tokens stand where their ids say, some anywhere or not at all.
    auto found = candidates.begin() +
                 std::min<ptrdiff_t>(*own, ptrdiff_t(candidates.size()));
    if (found == candidates.end() || found->id != *own) {
      found = std::find_if(
          candidates.begin(), candidates.end(),
          [&](const Candidate &candidate) { return candidate.id == *own; });
    }
    if (found == candidates.end()) {
      continue;
    }
    float &logit = found->logit;
    logit = logit > 0.0f ? logit / options.repeatPenalty
                         : logit * options.repeatPenalty;
    // A penalty below 1 can overflow, and infinity has no softmax.
    logit = std::min(logit, std::numeric_limits<float>::max());
  }
}

void Sampler::keepTopK(size_t k) {
  k = std::min(k, candidates.size());
  auto middle = candidates.begin() + ptrdiff_t(k);
  // For few, partial_sort's heap of the best so far costs about one comparison
  // a token; nth_element moves half of the vocabulary around.
  constexpr size_t few = 256;
  if (k < candidates.size() && k <= few) {
    std::partial_sort(candidates.begin(), middle, candidates.end(), IsBefore());
    candidates.resize(k);
    return;
  }
  if (k < candidates.size()) {
    std::nth_element(candidates.begin(), middle, candidates.end(), IsBefore());
    candidates.resize(k);
  }
  std::sort(candidates.begin(), candidates.end(), IsBefore());
}

void Sampler::keepTopP() {
  if (options.topP >= 1.0f) {
    return;
  }
  double total = 0.0;
  float best = candidates.front().logit;
  for (const Candidate &candidate : candidates) {
    total += std::exp(double(candidate.logit) - best);
  }
  double mass = 0.0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    mass += std::exp(double(candidates[i].logit) - best) / total;
    if (mass >= double(options.topP)) {
      candidates.resize(i + 1);
      return;
    }
  }
}

void Sampler::keepMinP() {
  if (options.minP <= 0.0f) {
    return;
  }
  float least = candidates.front().logit + std::log(options.minP);
  auto end = std::find_if(
      candidates.begin(), candidates.end(),
      [&](const Candidate &candidate) { return candidate.logit < least; });
  candidates.erase(end, candidates.end());
}

int32_t Sampler::draw() {
  double best = candidates.front().logit, total = 0.0;
  auto weight = [&](const Candidate &candidate) {
    return std::exp((double(candidate.logit) - best) /
                    double(options.temperature));
  };
  for (const Candidate &candidate : candidates) {
    total += weight(candidate);
  }
  // 53 random bits: a number in [0, 1).
  double target = double(random() >> 11) * 0x1.0p-53 * total;
  for (const Candidate &candidate : candidates) {
    target -= weight(candidate);
    if (target < 0.0) {
      return candidate.id;
    }
  }
  return candidates.back().id;
}

} // namespace umber
