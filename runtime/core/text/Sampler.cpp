// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chooses the next token from the model's logits.

#include "runtime/core/text/Sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace umber {

static Status invalidOption(const char *name, const char *expected,
                            double found) {
  return Status(StatusCode::InvalidArgument,
                std::string("sampler: expected ") + name + " " + expected +
                    ", found " + std::to_string(found));
}

Result<Sampler> Sampler::create(const SamplerOptions &options,
                                int32_t vocabularySize) {
  // Written so that NaN fails each of them.
  if (!std::isfinite(options.temperature)) {
    return invalidOption("temperature", "to be a finite number",
                         options.temperature);
  }
  if (!(options.topP > 0 && options.topP <= 1)) {
    return invalidOption("top-p", "above 0 and at most 1", options.topP);
  }
  if (!(options.minP >= 0 && options.minP <= 1)) {
    return invalidOption("min-p", "from 0 to 1", options.minP);
  }
  if (!(options.repeatPenalty > 0 && std::isfinite(options.repeatPenalty))) {
    return invalidOption("repeat-penalty", "above 0", options.repeatPenalty);
  }
  if (options.repeatLastN < -1) {
    return invalidOption("repeat-last-n", "of at least -1",
                         options.repeatLastN);
  }
  if (vocabularySize <= 0) {
    return invalidOption("vocabulary size", "above 0", vocabularySize);
  }
  Sampler result;
  result.options = options;
  result.vocabularySize = vocabularySize;
  result.random.seed(options.seed);
  if (options.temperature > 0) {
    result.candidates.reserve(static_cast<size_t>(vocabularySize));
  }
  if (options.repeatPenalty != 1 && options.repeatLastN != 0) {
    result.penalized.resize(static_cast<size_t>(vocabularySize));
    result.penalizedIn.resize(static_cast<size_t>(vocabularySize));
    if (options.repeatLastN > 0) {
      result.recent.reserve(
          static_cast<size_t>(std::min<int32_t>(options.repeatLastN, 1 << 16)));
    }
  }
  return result;
}

void Sampler::accept(int32_t id) {
  if (penalized.empty() || id < 0 || id >= vocabularySize) {
    return;
  }
  if (options.repeatLastN < 0 ||
      recent.size() < static_cast<size_t>(options.repeatLastN)) {
    recent.push_back(id);
    return;
  }
  recent[recentNext] = id;
  recentNext = (recentNext + 1) % recent.size();
}

Status Sampler::check(const float *logits, int32_t &best) const {
  best = -1;
  float highest = -std::numeric_limits<float>::infinity();
  for (int32_t id = 0; id < vocabularySize; ++id) {
    float logit = logits[id];
    if (!(logit <= std::numeric_limits<float>::max())) {
      return Status(
          StatusCode::InvalidArgument,
          "sampler: the logit of token " + std::to_string(id) +
              (std::isnan(logit) ? " is not a number" : " is infinite"));
    }
    if (logit > highest) {
      highest = logit;
      best = id;
    }
  }
  if (best < 0) {
    return Status(StatusCode::InvalidArgument,
                  "sampler: every logit is minus infinity");
  }
  return Status();
}

const float *Sampler::applyPenalty(const float *logits) {
  if (recent.empty()) {
    return logits;
  }
  std::copy(logits, logits + vocabularySize, penalized.begin());
  ++pass;
  for (int32_t id : recent) {
    if (penalizedIn[id] != pass) {
      penalizedIn[id] = pass;
      float &logit = penalized[id];
      logit = logit <= 0 ? logit * options.repeatPenalty
                         : logit / options.repeatPenalty;
      // A penalty below 1 can overflow; infinity would break the softmax.
      logit = std::min(logit, std::numeric_limits<float>::max());
    }
  }
  return penalized.data();
}

/// More likely first; of equally likely tokens the lowest id.
static constexpr auto isBetter = [](const auto &a, const auto &b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
};

void Sampler::sortPrefix(size_t count) {
  count = std::min(count, candidates.size());
  if (count > sorted) {
    auto begin = candidates.begin() + static_cast<ptrdiff_t>(sorted);
    auto middle = candidates.begin() + static_cast<ptrdiff_t>(count);
    std::partial_sort(begin, middle, candidates.end(), isBetter);
    sorted = count;
  }
}

void Sampler::collect(const float *logits) {
  for (int32_t id = 0; id < vocabularySize; ++id) {
    if (logits[id] > -std::numeric_limits<float>::infinity()) {
      candidates.push_back({logits[id], id});
    }
  }
}

void Sampler::keepTopK(const float *logits) {
  auto count = static_cast<size_t>(options.topK);
  // Above this a heap's bookkeeping costs more than selecting from all.
  constexpr size_t heapLimit = 256;
  if (count > heapLimit) {
    collect(logits);
    if (count < candidates.size()) {
      std::nth_element(candidates.begin(),
                       candidates.begin() + static_cast<ptrdiff_t>(count),
                       candidates.end(), isBetter);
      candidates.resize(count);
    }
    return;
  }
  // A heap with the worst of the best on top: nearly every token loses against
  // it at once, so this is one pass of comparisons.
  for (int32_t id = 0; id < vocabularySize; ++id) {
    float logit = logits[id];
    if (candidates.size() == count) {
      // Ids ascend, so that on a tie the earlier one stays.
      if (!(logit > candidates.front().logit)) {
        continue;
      }
      std::pop_heap(candidates.begin(), candidates.end(), isBetter);
      candidates.back() = {logit, id};
    } else if (logit > -std::numeric_limits<float>::infinity()) {
      candidates.push_back({logit, id});
    } else {
      continue;
    }
    std::push_heap(candidates.begin(), candidates.end(), isBetter);
  }
}

void Sampler::keepTopP() {
  sortPrefix(1);
  double highest = candidates[0].logit;
  double total = 0;
  for (const Candidate &candidate : candidates) {
    total += std::exp(candidate.logit - highest);
  }
  double wanted = options.topP * total;
  double seen = 0;
  // Sorting grows with what is needed: few tokens hold most of the
  // probability even when the vocabulary is large.
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (i == sorted) {
      sortPrefix(std::max<size_t>(64, 4 * sorted));
    }
    seen += std::exp(candidates[i].logit - highest);
    if (seen >= wanted) {
      candidates.resize(i + 1);
      sorted = i + 1;
      return;
    }
  }
}

void Sampler::keepMinP() {
  sortPrefix(1);
  // p >= minP * pMax, in logits; log(0) keeps all.
  double lowest = candidates[0].logit + std::log(double(options.minP));
  auto end = std::remove_if(candidates.begin() + 1, candidates.end(),
                            [lowest](const Candidate &candidate) {
                              return candidate.logit < lowest;
                            });
  candidates.erase(end, candidates.end());
  sorted = std::min(sorted, candidates.size());
}

int32_t Sampler::draw() {
  sortPrefix(1);
  double highest = candidates[0].logit;
  auto weight = [&](const Candidate &candidate) {
    return std::exp((candidate.logit - highest) / options.temperature);
  };
  double total = 0;
  for (const Candidate &candidate : candidates) {
    total += weight(candidate);
  }
  // 53 random bits: a double in [0, 1).
  double point = static_cast<double>(random() >> 11) * 0x1p-53 * total;
  for (const Candidate &candidate : candidates) {
    point -= weight(candidate);
    if (point < 0) {
      return candidate.id;
    }
  }
  // Rounding can leave a sliver beyond the last one; the most likely takes it.
  return candidates[0].id;
}

Result<int32_t> Sampler::sample(const float *logits) {
  int32_t best = -1;
  Status status = check(logits, best);
  if (!status.ok()) {
    return status;
  }
  const float *adjusted = applyPenalty(logits);
  if (adjusted != logits) {
    // Multiplying can overflow to minus infinity, which only excludes a token.
    best = static_cast<int32_t>(
        std::max_element(adjusted, adjusted + vocabularySize) - adjusted);
  }
  if (options.temperature <= 0) {
    return best;
  }
  candidates.clear();
  sorted = 0;
  if (options.topK > 0 && options.topK < vocabularySize) {
    keepTopK(adjusted);
  } else {
    collect(adjusted);
  }
  if (candidates.empty()) {
    return best;
  }
  if (options.topP < 1) {
    keepTopP();
  }
  if (options.minP > 0) {
    keepMinP();
  }
  return draw();
}

} // namespace umber
