// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/core/text/MergeTable.h"

#include <queue>

namespace umber {

namespace {

uint64_t makeKey(int32_t left, int32_t right) {
  return uint64_t(uint32_t(left)) << 32 | uint32_t(right);
}

/// A pair of neighbours that could be merged.
struct Candidate {
  int32_t rank;
  int32_t left, right;             ///< positions of the symbols
  int32_t leftSymbol, rightSymbol; ///< what they were when this was found
  int32_t result;

  bool operator<(const Candidate &other) const {
    // std::priority_queue puts the greatest first.
    return rank != other.rank ? rank > other.rank : left > other.left;
  }
};

} // namespace

void MergeTable::reserve(size_t count) {
  size_t size = 16;
  while (size < 2 * count) {
    size *= 2;
  }
  slots.assign(size, Slot());
}

size_t MergeTable::slotOf(uint64_t key) const {
  // Fibonacci hashing spreads pairs of small numbers well.
  size_t at = size_t((key * 0x9E3779B97F4A7C15u) >> 20) & (slots.size() - 1);
  while (slots[at].key != key && slots[at].key != UINT64_MAX) {
    at = (at + 1) & (slots.size() - 1);
  }
  return at;
}

void MergeTable::add(int32_t left, int32_t right, Merge merge) {
  Slot &slot = slots[slotOf(makeKey(left, right))];
  if (slot.key == UINT64_MAX) {
    slot = {makeKey(left, right), merge};
  }
}

MergeTable::Merge MergeTable::find(int32_t left, int32_t right) const {
  if (slots.empty()) {
    return Merge();
  }
  return slots[slotOf(makeKey(left, right))].merge;
}

void MergeTable::apply(std::vector<int32_t> &symbols) const {
  int32_t count = int32_t(symbols.size());
  std::vector<int32_t> previous(symbols.size()), next(symbols.size());
  std::priority_queue<Candidate> candidates;
  auto consider = [&](int32_t left, int32_t right) {
    if (left < 0 || right >= count) {
      return;
    }
    Merge merge = find(symbols[left], symbols[right]);
    if (merge.rank >= 0) {
      candidates.push({merge.rank, left, right, symbols[left], symbols[right],
                       merge.result});
    }
  };
  for (int32_t i = 0; i < count; ++i) {
    previous[i] = i - 1;
    next[i] = i + 1;
    consider(i - 1, i);
  }
  while (!candidates.empty()) {
    Candidate best = candidates.top();
    candidates.pop();
    // Either symbol may have been merged away since.
    if (symbols[best.left] != best.leftSymbol ||
        symbols[best.right] != best.rightSymbol ||
        next[best.left] != best.right) {
      continue;
    }
    symbols[best.left] = best.result;
    symbols[best.right] = -1;
    next[best.left] = next[best.right];
    if (next[best.left] < count) {
      previous[next[best.left]] = best.left;
    }
    consider(previous[best.left], best.left);
    consider(best.left, next[best.left]);
  }
  size_t kept = 0;
  for (int32_t i = 0; i < count; i = next[i]) {
    symbols[kept++] = symbols[i];
  }
  symbols.resize(kept);
}

} // namespace umber
