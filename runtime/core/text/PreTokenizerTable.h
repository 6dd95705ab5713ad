// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pre-tokenizers that Umber knows, by their GGUF name.

#ifndef UMBER_RUNTIME_CORE_TEXT_PRETOKENIZERTABLE_H
#define UMBER_RUNTIME_CORE_TEXT_PRETOKENIZERTABLE_H

#include <string_view>

namespace umber {

struct PreTokenizerInfo {
  /// PCRE2 patterns, applied one after the other; null ends the list.
  const char *patterns[6];
  /// What a tokenizer does when its package does not say otherwise.
  bool addBos;
  bool ignoreMerges;
};

/// The pre-tokenizer with this value of tokenizer.ggml.pre (empty: "default"),
/// or null.
const PreTokenizerInfo *findPreTokenizer(std::string_view name);

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_PRETOKENIZERTABLE_H
