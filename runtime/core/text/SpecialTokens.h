// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Control and user-defined tokens: texts that are found in the input before any
// other rule is applied.

#ifndef UMBER_RUNTIME_CORE_TEXT_SPECIALTOKENS_H
#define UMBER_RUNTIME_CORE_TEXT_SPECIALTOKENS_H

#include "runtime/core/text/Vocabulary.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace umber {

class SpecialTokens {
public:
  struct Match {
    size_t begin;
    size_t end;
    /// -1 when nothing was found; begin and end are then the text's size.
    int32_t id;
  };

  explicit SpecialTokens(const Vocabulary &vocabulary);

  /// The leftmost special token at or after `from`, and of those that start
  /// there the longest. Control and unknown tokens are found only when
  /// `parseControl` is set; user-defined tokens always are.
  Match findFirst(std::string_view text, size_t from, bool parseControl) const;

private:
  struct Entry {
    std::string_view text;
    int32_t id;
    bool control;
  };

  Match longestAt(std::string_view text, size_t pos, bool parseControl) const;

  /// Sorted by text, so that the entries that share a prefix are neighbours.
  std::vector<Entry> entries;
  /// Entries that start with byte b are [firstByte[b], firstByte[b + 1]).
  std::array<uint32_t, 257> firstByte{};
};

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_SPECIALTOKENS_H
