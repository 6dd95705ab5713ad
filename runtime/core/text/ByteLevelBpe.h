// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Byte-level byte-pair encoding, as GPT-2 and most models since tokenize.

#ifndef UMBER_RUNTIME_CORE_TEXT_BYTELEVELBPE_H
#define UMBER_RUNTIME_CORE_TEXT_BYTELEVELBPE_H

#include "runtime/core/text/PreTokenizer.h"
#include "runtime/core/text/TokenizerModel.h"
#include "runtime/core/text/Vocabulary.h"

#include <array>
#include <memory>

namespace umber {

class ByteLevelBpe final : public TokenizerModel {
public:
  /// Resolves the merges to ids. The vocabulary must outlive the model.
  /// CorruptFile when a merge names no token, Unsupported when the
  /// pre-tokenizer is unknown.
  static Result<std::unique_ptr<TokenizerModel>>
  create(const TokenizerData &data, const Vocabulary &vocabulary);

  Status encode(std::string_view text, bool atStart,
                std::vector<int32_t> &ids) const override;
  void appendPiece(int32_t id, std::string &out) const override;
  size_t countUnencodable(std::string_view text) const override;

private:
  struct Merge {
    int32_t left;
    int32_t right;
    /// Position in the list of merges: the lowest is applied first.
    uint32_t rank;
    /// The token that the pair becomes; -1 marks a free slot.
    int32_t result;
  };
  struct Symbol;
  struct Candidate;
  struct Scratch;

  ByteLevelBpe(const Vocabulary &vocabulary, PreTokenizer preTokenizer,
               bool ignoreMerges);

  Status resolveMerges(const std::vector<std::string_view> &texts);
  const Merge *findMerge(int32_t left, int32_t right) const;
  /// Appends the ids of one word.
  void encodeWord(std::string_view word, Scratch &scratch,
                  std::vector<int32_t> &ids) const;

  const Vocabulary &vocabulary;
  PreTokenizer preTokenizer;
  bool ignoreMerges;
  /// The token of each byte, or -1.
  std::array<int32_t, 256> byteToken{};
  /// Open addressing with linear probing, at most half full.
  std::vector<Merge> merges;
};

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_BYTELEVELBPE_H
