// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a package says about its tokenizer, as plain views: the names follow
// GGUF's tokenizer.ggml.* keys, whose meaning they keep.

#ifndef UMBER_RUNTIME_CORE_TEXT_TOKENIZERDATA_H
#define UMBER_RUNTIME_CORE_TEXT_TOKENIZERDATA_H

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace umber {

/// The values of GGUF's tokenizer.ggml.token_type.
enum class TokenType : int32_t {
  Normal = 1,
  Unknown = 2,
  Control = 3,
  UserDefined = 4,
  Unused = 5,
  Byte = 6,
};

/// A tokenizer as stored. Nothing here is trusted: Tokenizer::create checks it.
/// The views must outlive the tokenizer made from them (they point into the
/// mapped package); the vectors themselves may be freed after creation.
struct TokenizerData {
  /// tokenizer.ggml.model: "gpt2" (byte-level BPE) or "llama" (SentencePiece).
  std::string_view model;
  /// tokenizer.ggml.pre, the name of a known pre-tokenizer; empty means
  /// "default". Only byte-level BPE uses it.
  std::string_view pre;
  /// Pre-tokenizer patterns in PCRE2 syntax, applied one after the other; when
  /// there are any, `pre` only supplies the defaults of the flags below and
  /// need not be known.
  std::vector<std::string_view> patterns;

  /// Token texts; the index is the id. Normal tokens of a "gpt2" model are in
  /// GPT-2's printable byte alphabet, all others are as they stand.
  std::vector<std::string_view> tokens;
  /// TokenType values, one a token, or empty when every token is normal.
  std::vector<int32_t> types;
  /// Scores, one a token; only "llama" uses them and requires them.
  std::vector<float> scores;
  /// Pairs "left right", the best first; only "gpt2" uses them.
  std::vector<std::string_view> merges;

  /// Whether encode adds these around a text; unset means what the model type
  /// and `pre` imply.
  std::optional<bool> addBos;
  std::optional<bool> addEos;
  /// "llama" only: put a space before a text; unset means yes.
  std::optional<bool> addSpacePrefix;
  /// "gpt2" only: a word that is a token needs no merges; unset means what
  /// `pre` implies.
  std::optional<bool> ignoreMerges;

  /// Ids of the named special tokens; -1 means that there is none.
  int32_t bosId = -1;
  int32_t eosId = -1;
  int32_t eotId = -1;
  int32_t unkId = -1;

  /// tokenizer.chat_template: Jinja text, or empty.
  std::string_view chatTemplate;
};

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_TOKENIZERDATA_H
