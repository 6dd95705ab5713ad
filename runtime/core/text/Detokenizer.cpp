// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tokens to text.

#include "runtime/core/text/ByteAlphabet.h"
#include "runtime/core/text/Tokenizer.h"
#include "runtime/core/text/Utf8.h"

namespace umber {

void Tokenizer::decode(int32_t id, bool showSpecial, std::string &text) const {
  if (id < 0 || size_t(id) >= data.tokens.size()) {
    return;
  }
  std::string_view token = data.tokens[id];
  TokenType type = typeOf(id);
  if (type == TokenType::Control || type == TokenType::Unknown) {
    if (showSpecial) {
      text.append(token);
    }
    return;
  }
  if (type == TokenType::UserDefined) {
    text.append(token);
    return;
  }
  if (isSentencePiece()) {
    decodePiece(id, text);
    return;
  }
  while (!token.empty()) {
    size_t length = utf8Length(token);
    int byte = length ? byteOfCharacter(utf8Decode(token, length)) : -1;
    length = length ? length : 1;
    if (byte >= 0) {
      text += char(byte);
    } else {
      // Not of the byte alphabet: it stands for itself.
      text.append(token.substr(0, length));
    }
    token.remove_prefix(length);
  }
}

std::string Tokenizer::decode(const std::vector<int32_t> &ids,
                              bool showSpecial) const {
  std::string text;
  int32_t previous = -1;
  for (int32_t id : ids) {
    if (id < 0 || size_t(id) >= data.tokens.size()) {
      continue;
    }
    size_t at = text.size();
    decode(id, showSpecial, text);
    if (isPrefixedAfter(previous) && text.size() > at && text[at] == ' ') {
      text.erase(at, 1);
    }
    previous = id;
  }
  return text;
}

std::string_view Detokenizer::push(int32_t id) {
  tokenizer.decode(id, showSpecial, pending);
  size_t complete = pending.size() - utf8IncompleteTail(pending);
  ready.assign(pending, 0, complete);
  pending.erase(0, complete);
  return ready;
}

std::string_view Detokenizer::finish() {
  ready.swap(pending);
  pending.clear();
  return ready;
}

} // namespace umber
