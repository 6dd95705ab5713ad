// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_RUNTIME_CORE_TEXT_TOKENIZER_H
#define UMBER_RUNTIME_CORE_TEXT_TOKENIZER_H

#include "runtime/core/text/MergeTable.h"
#include "runtime/core/text/PreTokenizer.h"
#include "runtime/core/text/TokenizerData.h"
#include "runtime/package/Status.h"

#include <array>

namespace umber {

struct EncodeOptions {
  /// Add the model's beginning (and end) tokens where its training had them.
  bool addSpecial = false;
  /// Read the names of control tokens in the text as those tokens.
  bool parseSpecial = false;
};

/// Text to tokens and back, by byte-level BPE or by SentencePiece's. Any bytes
/// are text: what is not UTF-8 becomes the tokens of its bytes, and
/// decode(encode(x)) is x, but for U+2581, which is SentencePiece's space.
/// Immutable, and used by many threads.
class Tokenizer {
public:
  /// Tables must be consistent, as verifyMetadata checks. Unsupported: a model
  /// or pre-tokenizer that is not known.
  static Result<std::unique_ptr<Tokenizer>> create(TokenizerData data);

  Result<std::vector<int32_t>> encode(std::string_view text,
                                      EncodeOptions options) const;

  /// Appends the bytes that a token stands for. Control tokens stand for
  /// nothing unless `showSpecial`.
  void decode(int32_t id, bool showSpecial, std::string &text) const;
  /// The text of all of them, without the spaces that encode() put in front.
  std::string decode(const std::vector<int32_t> &ids, bool showSpecial) const;

  /// The token of exactly this text, or -1.
  int32_t find(std::string_view token) const;
  size_t size() const { return data.tokens.size(); }

private:
  explicit Tokenizer(TokenizerData data) : data(std::move(data)) {}

  Status buildTables();
  Status buildMerges();
  /// Whether the text of token `id`, if there is one, is that of two others.
  bool isJoined(int32_t id, int32_t left, int32_t right) const;
  void buildVocabulary();
  TokenType typeOf(int32_t id) const { return TokenType(data.types[id]); }
  int32_t findSpecialAt(std::string_view text, bool control) const;
  Status encodePlain(std::string_view text, std::vector<int32_t> &ids) const;
  bool isSentencePiece() const { return !preTokenizer; }
  bool isPrefixedAfter(int32_t previous) const;

  // SentencePiece.cpp
  static int byteOfPiece(std::string_view piece);
  Status buildPieces();
  void encodePieces(std::string_view text, bool prefix,
                    std::vector<int32_t> &ids) const;
  void decodePiece(int32_t id, std::string &text) const;

  Status encodeWord(std::string_view word, std::vector<int32_t> &ids) const;

  TokenizerData data;
  std::unique_ptr<PreTokenizer> preTokenizer; ///< null for SentencePiece
  MergeTable merges;
  std::array<int32_t, 256> byteTokens;
  /// Control and user-defined tokens by their first byte, the longest first.
  std::array<std::vector<int32_t>, 256> specials;
  std::vector<int32_t> vocabulary; ///< open addressing: ids, -1 where empty
  bool hasRepeats = false;         ///< several tokens with the same text
};

/// Tokens to text as they come. Holds back the bytes of a character that is not
/// complete yet.
class Detokenizer {
public:
  Detokenizer(const Tokenizer &tokenizer, bool showSpecial)
      : tokenizer(tokenizer), showSpecial(showSpecial) {}

  /// The text that is complete now; valid until the next call.
  std::string_view push(int32_t id);
  /// What was held back.
  std::string_view finish();

private:
  const Tokenizer &tokenizer;
  bool showSpecial;
  std::string pending, ready;
};

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_TOKENIZER_H
