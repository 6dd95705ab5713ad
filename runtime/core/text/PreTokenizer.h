// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Splitting text into the words that BPE then works on one by one.

#ifndef UMBER_RUNTIME_CORE_TEXT_PRETOKENIZER_H
#define UMBER_RUNTIME_CORE_TEXT_PRETOKENIZER_H

#include "runtime/package/Status.h"

#include <memory>
#include <string_view>
#include <vector>

namespace umber {

class PreTokenizer {
public:
  /// By the name that GGUF gives it in tokenizer.ggml.pre.
  static Result<std::unique_ptr<PreTokenizer>> create(const std::string &name);
  ~PreTokenizer();

  /// Appends the words of valid UTF-8 `text`; together they are the whole of
  /// it.
  Status split(std::string_view text,
               std::vector<std::string_view> &words) const;

  /// Whether a word that is in the vocabulary is taken as it is, even if merges
  /// would not lead to it.
  bool takesWholeWords() const { return wholeWords; }

private:
  struct Pattern;

  PreTokenizer();

  std::vector<std::unique_ptr<Pattern>> patterns;
  bool wholeWords = false;
};

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_PRETOKENIZER_H
