// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Splits text into the words that byte-pair merges do not cross.

#ifndef UMBER_RUNTIME_CORE_TEXT_PRETOKENIZER_H
#define UMBER_RUNTIME_CORE_TEXT_PRETOKENIZER_H

#include "runtime/package/Status.h"

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace umber {

/// A chain of regular expressions. Each one cuts every piece that the one
/// before it left into its matches and what lies between them; a piece is a
/// text of its own, so that no look-around sees past its ends.
class PreTokenizer {
public:
  struct Span {
    size_t begin;
    size_t end;
  };

  /// Compiles the patterns. CorruptFile, with the pattern's number and offset,
  /// when one is not a valid PCRE2 pattern.
  static Result<PreTokenizer>
  create(const std::vector<std::string_view> &patterns);

  PreTokenizer(PreTokenizer &&) noexcept;
  PreTokenizer &operator=(PreTokenizer &&) noexcept;
  ~PreTokenizer();

  /// Replaces `spans` by the words of a text, which must be well-formed UTF-8
  /// and may hold NULs. The words are not empty and cover the text in order.
  /// InvalidArgument when a pattern exceeds its matching limits.
  Status split(std::string_view text, std::vector<Span> &spans) const;

private:
  struct Pattern;

  PreTokenizer();

  std::vector<std::unique_ptr<Pattern>> patterns;
};

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_PRETOKENIZER_H
