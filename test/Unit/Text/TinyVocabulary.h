// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A byte-level vocabulary small enough to see through: 256 byte tokens, whose
// ids are the bytes, a few merged ones, and special ones.

#ifndef UMBER_TEST_UNIT_TEXT_TINYVOCABULARY_H
#define UMBER_TEST_UNIT_TEXT_TINYVOCABULARY_H

#include "runtime/core/text/ByteAlphabet.h"
#include "runtime/core/text/Tokenizer.h"
#include "runtime/core/text/Utf8.h"

#include <deque>
#include <string>

namespace umber::testing {

class TinyVocabulary {
public:
  TinyVocabulary() {
    data.model = "gpt2";
    data.pre = "gpt-2";
    for (unsigned byte = 0; byte < 256; ++byte) {
      std::string character;
      utf8Append(character, kByteAlphabet[byte]);
      add(character, TokenType::Normal);
    }
  }

  int32_t add(const std::string &text, TokenType type) {
    texts.push_back(text);
    data.tokens.push_back(texts.back());
    data.types.push_back(static_cast<uint8_t>(type));
    return static_cast<int32_t>(data.tokens.size()) - 1;
  }

  /// Adds the token that two others make, and the merge.
  int32_t merge(int32_t left, int32_t right) {
    data.merges.push_back(static_cast<uint32_t>(left));
    data.merges.push_back(static_cast<uint32_t>(right));
    return add(std::string(data.tokens[left]) + std::string(data.tokens[right]),
               TokenType::Normal);
  }

  TokenizerData data;

private:
  /// A deque, so that the views stay where they are.
  std::deque<std::string> texts;
};

} // namespace umber::testing

#endif // UMBER_TEST_UNIT_TEXT_TINYVOCABULARY_H
