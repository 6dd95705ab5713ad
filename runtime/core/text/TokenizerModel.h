// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the tokenizer families have in common once special tokens are out.

#ifndef UMBER_RUNTIME_CORE_TEXT_TOKENIZERMODEL_H
#define UMBER_RUNTIME_CORE_TEXT_TOKENIZERMODEL_H

#include "runtime/package/Status.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace umber {

/// Immutable after creation: every method may be called from many threads.
class TokenizerModel {
public:
  virtual ~TokenizerModel() = default;

  /// Appends the ids of a text without special tokens; any bytes are allowed.
  /// `atStart` says that nothing or a special token comes before it.
  virtual Status encode(std::string_view text, bool atStart,
                        std::vector<int32_t> &ids) const = 0;

  /// Appends the bytes that a normal or byte token stands for.
  virtual void appendPiece(int32_t id, std::string &out) const = 0;

  /// Bytes of the text that the vocabulary has no token for: encode leaves
  /// them out, as the models' own tokenizers do, or writes an unknown token.
  virtual size_t countUnencodable(std::string_view text) const = 0;

  /// Whether encode puts a space before a text that decoding should remove.
  virtual bool addsSpacePrefix() const { return false; }
};

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_TOKENIZERMODEL_H
