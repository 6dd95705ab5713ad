// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The merges of a byte-pair encoding, and merging a word by them (Sennrich et
// al. 2016, arXiv:1508.07909): always the best pair there is, the leftmost
// among equals.

#ifndef UMBER_RUNTIME_CORE_TEXT_MERGETABLE_H
#define UMBER_RUNTIME_CORE_TEXT_MERGETABLE_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace umber {

class MergeTable {
public:
  struct Merge {
    int32_t rank = -1; ///< lower is better; -1: no such merge
    int32_t result = -1;
  };

  void reserve(size_t count);
  /// Keeps the first merge of a pair.
  void add(int32_t left, int32_t right, Merge merge);
  Merge find(int32_t left, int32_t right) const;

  /// Merges `symbols` as far as it goes, in O(n log n).
  void apply(std::vector<int32_t> &symbols) const;

private:
  struct Slot {
    uint64_t key = UINT64_MAX;
    Merge merge;
  };
  size_t slotOf(uint64_t key) const;

  std::vector<Slot> slots; ///< open addressing; a power of two of them
};

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_MERGETABLE_H
