// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/Candidate.h"

#include <algorithm>

using namespace umber;

std::vector<Candidate> umber::selectCandidates(const float *logits,
                                               size_t vocab, size_t count) {
  std::vector<Candidate> all(vocab);
  for (size_t i = 0; i < vocab; ++i) {
    all[i] = {int32_t(i), logits[i]};
  }
  auto end = all.begin() + ptrdiff_t(std::min(count, vocab));
  std::partial_sort(all.begin(), end, all.end(), IsBefore());
  all.erase(end, all.end());
  return all;
}
