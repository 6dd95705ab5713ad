// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Control and user-defined tokens: texts that are found in the input before any
// other rule is applied.

#include "runtime/core/text/SpecialTokens.h"

#include <algorithm>

namespace umber {

SpecialTokens::SpecialTokens(const Vocabulary &vocabulary) {
  for (int32_t id = 0; id < vocabulary.size(); ++id) {
    TokenType type = vocabulary.type(id);
    bool control = type == TokenType::Control || type == TokenType::Unknown;
    if ((control || type == TokenType::UserDefined) &&
        !vocabulary.text(id).empty()) {
      entries.push_back({vocabulary.text(id), id, control});
    }
  }
  std::sort(entries.begin(), entries.end(), [](const Entry &a, const Entry &b) {
    return a.text != b.text ? a.text < b.text : a.id < b.id;
  });
  size_t i = 0;
  for (unsigned byte = 0; byte < 256; ++byte) {
    firstByte[byte] = static_cast<uint32_t>(i);
    while (i < entries.size() &&
           static_cast<unsigned char>(entries[i].text[0]) == byte) {
      ++i;
    }
  }
  firstByte[256] = static_cast<uint32_t>(i);
}

SpecialTokens::Match SpecialTokens::findFirst(std::string_view text,
                                              size_t from,
                                              bool parseControl) const {
  for (size_t pos = from; pos < text.size() && !entries.empty(); ++pos) {
    auto byte = static_cast<unsigned char>(text[pos]);
    if (firstByte[byte] == firstByte[byte + 1]) {
      continue;
    }
    Match match = longestAt(text, pos, parseControl);
    if (match.id >= 0) {
      return match;
    }
  }
  return {text.size(), text.size(), -1};
}

SpecialTokens::Match SpecialTokens::longestAt(std::string_view text, size_t pos,
                                              bool parseControl) const {
  auto byte = static_cast<unsigned char>(text[pos]);
  auto low = entries.begin() + firstByte[byte];
  auto high = entries.begin() + firstByte[byte + 1];
  Match best{pos, pos, -1};
  // All entries in [low, high) start with the `depth` bytes at `pos`; those
  // that end there come first.
  for (size_t depth = 1; low != high; ++depth) {
    for (; low != high && low->text.size() == depth; ++low) {
      if (parseControl || !low->control) {
        best = {pos, pos + depth, low->id};
      }
    }
    if (pos + depth >= text.size()) {
      break;
    }
    auto next = static_cast<unsigned char>(text[pos + depth]);
    auto byteOf = [depth](const Entry &entry) {
      return static_cast<unsigned char>(entry.text[depth]);
    };
    low = std::partition_point(
        low, high, [&](const Entry &entry) { return byteOf(entry) < next; });
    high = std::partition_point(
        low, high, [&](const Entry &entry) { return byteOf(entry) <= next; });
  }
  return best;
}

} // namespace umber
