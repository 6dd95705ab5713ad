// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tokens with a row's largest logits, which is all that sampling looks at.

#ifndef UMBER_RUNTIME_DRIVERS_CANDIDATE_H
#define UMBER_RUNTIME_DRIVERS_CANDIDATE_H

#include "umber/umber.h"

#include <cmath>
#include <cstddef>
#include <vector>

namespace umber {

using Candidate = umber_candidate;

/// The order of candidates: the larger logit first, of equal ones the smaller
/// id, and before all numbers what is none, so that it is not overlooked.
struct IsBefore {
  bool operator()(const Candidate &a, const Candidate &b) const {
    if (a.logit > b.logit) {
      return true;
    }
    if (a.logit < b.logit) {
      return false;
    }
    bool isNaN = std::isnan(a.logit);
    return isNaN == std::isnan(b.logit) ? a.id < b.id : isNaN;
  }
};

/// The first `count` of `vocab` logits in that order; no more than `vocab`.
std::vector<Candidate> selectCandidates(const float *logits, size_t vocab,
                                        size_t count);

} // namespace umber

#endif // UMBER_RUNTIME_DRIVERS_CANDIDATE_H
