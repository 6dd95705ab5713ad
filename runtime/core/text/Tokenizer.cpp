// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tables, and text to tokens.

#include "runtime/core/text/Tokenizer.h"
#include "runtime/core/text/ByteAlphabet.h"
#include "runtime/core/text/Utf8.h"

#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace umber {

Result<std::unique_ptr<Tokenizer>> Tokenizer::create(TokenizerData data) {
  if (data.model != "gpt2" && data.model != "llama") {
    return Status(StatusCode::Unsupported,
                  "tokenizer: model '" + data.model +
                      "' is not supported; supported are gpt2 (byte-level BPE) "
                      "and llama (SentencePiece)");
  }
  std::unique_ptr<Tokenizer> tokenizer(new Tokenizer(std::move(data)));
  if (tokenizer->data.model == "gpt2") {
    auto preTokenizer = PreTokenizer::create(tokenizer->data.pre);
    if (!preTokenizer.ok()) {
      return preTokenizer.status();
    }
    tokenizer->preTokenizer = std::move(*preTokenizer);
  }
  if (Status status = tokenizer->buildTables(); !status.ok()) {
    return status;
  }
  return tokenizer;
}

void Tokenizer::buildVocabulary() {
  size_t size = 16;
  while (size < 2 * data.tokens.size()) {
    size *= 2;
  }
  vocabulary.assign(size, -1);
  for (size_t id = 0; id < data.tokens.size(); ++id) {
    std::string_view token = data.tokens[id];
    size_t at = XXH3_64bits(token.data(), token.size()) & (size - 1);
    while (vocabulary[at] >= 0 && data.tokens[vocabulary[at]] != token) {
      at = (at + 1) & (size - 1);
    }
    if (vocabulary[at] < 0) {
      vocabulary[at] = int32_t(id);
    } else {
      hasRepeats = true;
    }
  }
}

int32_t Tokenizer::find(std::string_view token) const {
  size_t mask = vocabulary.size() - 1;
  size_t at = XXH3_64bits(token.data(), token.size()) & mask;
  while (vocabulary[at] >= 0 && data.tokens[vocabulary[at]] != token) {
    at = (at + 1) & mask;
  }
  return vocabulary[at];
}

bool Tokenizer::isJoined(int32_t id, int32_t left, int32_t right) const {
  if (size_t(id) >= data.tokens.size()) {
    return false;
  }
  std::string_view whole = data.tokens[id], first = data.tokens[left],
                   second = data.tokens[right];
  return whole.size() == first.size() + second.size() &&
         whole.substr(0, first.size()) == first &&
         whole.substr(first.size()) == second;
}

Status Tokenizer::buildMerges() {
  for (unsigned byte = 0; byte < 256; ++byte) {
    std::string character;
    utf8Append(character, kByteAlphabet[byte]);
    byteTokens[byte] = find(character);
  }
  merges.reserve(data.merges.size() / 2);
  std::string joined;
  int32_t result = -1;
  for (size_t i = 0; i + 1 < data.merges.size(); i += 2) {
    int32_t left = int32_t(data.merges[i]), right = int32_t(data.merges[i + 1]);
    // Training adds a token with each merge, so that they are in the same order
    // almost everywhere; looking the text up takes much longer.
    if (!hasRepeats && isJoined(result + 1, left, right)) {
      ++result;
    } else {
      joined.assign(data.tokens[left]).append(data.tokens[right]);
      result = find(joined);
    }
    if (result < 0) {
      return Status(StatusCode::CorruptFile,
                    "tokenizer: expected merge " + std::to_string(i / 2) +
                        " to make a token, found that it does not");
    }
    merges.add(left, right, {int32_t(i / 2), result});
  }
  return Status();
}

Status Tokenizer::buildTables() {
  buildVocabulary();
  if (Status status = isSentencePiece() ? buildPieces() : buildMerges();
      !status.ok()) {
    return status;
  }
  for (size_t id = 0; id < data.tokens.size(); ++id) {
    TokenType type = typeOf(int32_t(id));
    bool isSpecial =
        type == TokenType::Control || type == TokenType::UserDefined;
    if (isSpecial && !data.tokens[id].empty()) {
      specials[uint8_t(data.tokens[id].front())].push_back(int32_t(id));
    }
  }
  for (std::vector<int32_t> &ids : specials) {
    std::stable_sort(ids.begin(), ids.end(), [&](int32_t a, int32_t b) {
      return data.tokens[a].size() > data.tokens[b].size();
    });
  }
  return Status();
}

int32_t Tokenizer::findSpecialAt(std::string_view text, bool control) const {
  for (int32_t id : specials[uint8_t(text.front())]) {
    std::string_view token = data.tokens[id];
    if ((control || typeOf(id) == TokenType::UserDefined) &&
        text.substr(0, token.size()) == token) {
      return id;
    }
  }
  return -1;
}

Result<std::vector<int32_t>> Tokenizer::encode(std::string_view text,
                                               EncodeOptions options) const {
  std::vector<int32_t> ids;
  if (options.addSpecial && data.addBos && data.bos >= 0) {
    ids.push_back(data.bos);
  }
  size_t plain = 0;
  for (size_t at = 0; at < text.size();) {
    int32_t special = findSpecialAt(text.substr(at), options.parseSpecial);
    if (special < 0) {
      ++at;
      continue;
    }
    // A user-defined token is text like any other, with the space in front.
    if (at > plain || typeOf(special) == TokenType::UserDefined) {
      Status status = encodePlain(text.substr(plain, at - plain), ids);
      if (!status.ok()) {
        return status;
      }
    }
    ids.push_back(special);
    at += data.tokens[special].size();
    plain = at;
  }
  if (plain < text.size()) {
    Status status = encodePlain(text.substr(plain), ids);
    if (!status.ok()) {
      return status;
    }
  }
  if (options.addSpecial && data.addEos && data.eos >= 0) {
    ids.push_back(data.eos);
  }
  return ids;
}

/// Whether text gets a space in front: at the start (`previous` is -1), and
/// after a control token, where llama.cpp adds one too.
bool Tokenizer::isPrefixedAfter(int32_t previous) const {
  return isSentencePiece() && data.addSpacePrefix &&
         (previous < 0 || typeOf(previous) == TokenType::Control);
}

Status Tokenizer::encodePlain(std::string_view text,
                              std::vector<int32_t> &ids) const {
  if (isSentencePiece()) {
    encodePieces(text, isPrefixedAfter(ids.empty() ? -1 : ids.back()), ids);
    return Status();
  }
  std::vector<std::string_view> words;
  while (!text.empty()) {
    size_t valid = 0;
    while (size_t length = utf8Length(text.substr(valid))) {
      valid += length;
    }
    words.clear();
    if (Status status = preTokenizer->split(text.substr(0, valid), words);
        valid > 0 && !status.ok()) {
      return status;
    }
    // A byte that is not UTF-8 is a word of its own.
    if (valid < text.size()) {
      words.push_back(text.substr(valid, 1));
    }
    for (std::string_view word : words) {
      if (Status status = encodeWord(word, ids); !status.ok()) {
        return status;
      }
    }
    text.remove_prefix(std::min(valid + 1, text.size()));
  }
  return Status();
}

Status Tokenizer::encodeWord(std::string_view word,
                             std::vector<int32_t> &ids) const {
  if (preTokenizer->takesWholeWords()) {
    std::string characters;
    for (char byte : word) {
      utf8Append(characters, kByteAlphabet[uint8_t(byte)]);
    }
    if (int32_t id = find(characters); id >= 0) {
      ids.push_back(id);
      return Status();
    }
  }
  std::vector<int32_t> symbols;
  for (char byte : word) {
    // Vocabularies may lack bytes that their training never met, SmolLM2's some
    // control characters. Its own tokenizer leaves such a byte out. The unknown
    // token is no substitute: it is the one that separates documents.
    int32_t id = byteTokens[uint8_t(byte)];
    if (id < 0) {
      continue;
    }
    symbols.push_back(id);
  }
  merges.apply(symbols);
  ids.insert(ids.end(), symbols.begin(), symbols.end());
  return Status();
}

} // namespace umber
