// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SentencePiece's byte-pair encoding by scores, as Llama 2 tokenizes.

#ifndef UMBER_RUNTIME_CORE_TEXT_SENTENCEPIECE_H
#define UMBER_RUNTIME_CORE_TEXT_SENTENCEPIECE_H

#include "runtime/core/text/TokenizerModel.h"
#include "runtime/core/text/Vocabulary.h"

#include <array>
#include <memory>

namespace umber {

class SentencePiece final : public TokenizerModel {
public:
  /// CorruptFile when there is not one score a token, or a score is not a
  /// number. The vocabulary must outlive the model.
  static Result<std::unique_ptr<TokenizerModel>>
  create(const TokenizerData &data, const Vocabulary &vocabulary);

  Status encode(std::string_view text, bool atStart,
                std::vector<int32_t> &ids) const override;
  void appendPiece(int32_t id, std::string &out) const override;
  size_t countUnencodable(std::string_view text) const override;
  bool addsSpacePrefix() const override { return spacePrefix; }

private:
  struct Symbol;
  struct Candidate;

  explicit SentencePiece(const Vocabulary &vocabulary);

  /// The id of a token that text may become, or -1.
  int32_t findPiece(std::string_view text) const;

  const Vocabulary &vocabulary;
  std::vector<float> scores;
  bool spacePrefix = true;
  int32_t unkId = -1;
  /// The fallback token "<0xNN>" of each byte, or -1.
  std::array<int32_t, 256> byteToken{};
};

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_SENTENCEPIECE_H
