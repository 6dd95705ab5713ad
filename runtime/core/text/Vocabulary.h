// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Token texts and types, and the way from a text back to its id.

#ifndef UMBER_RUNTIME_CORE_TEXT_VOCABULARY_H
#define UMBER_RUNTIME_CORE_TEXT_VOCABULARY_H

#include "runtime/core/text/TokenizerData.h"
#include "runtime/package/Status.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace umber {

class Vocabulary {
public:
  /// Checks counts, types and ids and builds the index. CorruptFile when they
  /// disagree.
  static Result<Vocabulary> create(const TokenizerData &data);

  int32_t size() const { return static_cast<int32_t>(tokens.size()); }
  bool contains(int32_t id) const { return id >= 0 && id < size(); }
  /// The text as stored. The id must be in the vocabulary, here and below.
  std::string_view text(int32_t id) const { return tokens[id]; }
  TokenType type(int32_t id) const {
    return static_cast<TokenType>(types.empty() ? 1 : types[id]);
  }
  /// The id of a stored text, or -1. Of tokens with equal texts the last one
  /// wins.
  int32_t find(std::string_view text) const;
  /// Bytes in the longest stored text.
  size_t longestText() const { return longest; }

private:
  /// Open addressing with linear probing, at most half full. The tag is the
  /// upper half of the hash: texts are compared only when it is equal.
  struct Slot {
    uint32_t tag;
    int32_t id;
  };

  void insert(int32_t id);

  std::vector<std::string_view> tokens;
  std::vector<int32_t> types;
  std::vector<Slot> slots;
  size_t longest = 0;
};

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_VOCABULARY_H
