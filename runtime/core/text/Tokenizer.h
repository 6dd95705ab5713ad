// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text to token ids and back.

#ifndef UMBER_RUNTIME_CORE_TEXT_TOKENIZER_H
#define UMBER_RUNTIME_CORE_TEXT_TOKENIZER_H

#include "runtime/core/text/SpecialTokens.h"
#include "runtime/core/text/TokenizerData.h"
#include "runtime/core/text/TokenizerModel.h"
#include "runtime/core/text/Vocabulary.h"
#include "runtime/package/Status.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace umber {

struct EncodeOptions {
  /// Add the beginning- and end-of-sequence tokens that the model asks for.
  bool addSpecial = true;
  /// Recognise control tokens written out in the text ("<|im_end|>"). Leave it
  /// off for text from outside: it could otherwise forge a turn of the chat.
  bool parseSpecial = false;
};

struct DecodeOptions {
  /// Show control tokens as their text instead of leaving them out.
  bool showSpecial = false;
};

/// Immutable after creation: every method may be called from many threads.
class Tokenizer {
public:
  /// Checks the data and builds the tables. CorruptFile when the data
  /// contradicts itself; Unsupported, naming it, for an unknown model or
  /// pre-tokenizer.
  static Result<Tokenizer> create(const TokenizerData &data);

  /// The ids of a text, which may hold any bytes, NULs and ill-formed UTF-8
  /// included. Special tokens come first, the leftmost and there the longest;
  /// what lies between them goes through the pre-tokenizer and the merges.
  /// InvalidArgument when the text exceeds 2 GiB or a pattern its limits.
  Result<std::vector<int32_t>> encode(std::string_view text,
                                      EncodeOptions options = {}) const;

  /// The bytes of a sequence: decode(encode(x)) is x again, byte for byte, as
  /// long as countUnencodable(x) is 0 and no special token is hidden.
  /// InvalidArgument for an id outside the vocabulary.
  Result<std::string> decode(const std::vector<int32_t> &ids,
                             DecodeOptions options = {}) const;

  /// Appends the bytes of one token; they may be a part of a UTF-8 sequence.
  /// Detokenizer is the way to show them as they come.
  Status appendPiece(int32_t id, DecodeOptions options, std::string &out) const;

  /// Bytes of a text that the vocabulary has no token for and that encode
  /// therefore loses: some vocabularies lack bytes that their training never
  /// met.
  size_t countUnencodable(std::string_view text) const {
    return model->countUnencodable(text);
  }

  /// Whether the model ends its answer with this token.
  bool isEndOfGeneration(int32_t id) const;

  int32_t vocabularySize() const { return vocabulary->size(); }
  const Vocabulary &tokens() const { return *vocabulary; }
  /// -1 when there is none.
  int32_t bosId() const { return bos; }
  int32_t eosId() const { return eos; }
  bool addsBos() const { return addBos; }
  bool addsEos() const { return addEos; }

private:
  Tokenizer() = default;

  void collectEndOfGeneration(const TokenizerData &data);

  /// On the heap: `model` refers to it, and tokenizers move.
  std::unique_ptr<const Vocabulary> vocabulary;
  std::unique_ptr<const SpecialTokens> special;
  std::unique_ptr<const TokenizerModel> model;
  /// Sorted.
  std::vector<int32_t> endOfGeneration;
  int32_t bos = -1;
  int32_t eos = -1;
  bool addBos = false;
  bool addEos = false;
};

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_TOKENIZER_H
