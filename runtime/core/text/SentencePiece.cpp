// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SentencePiece's byte-pair encoding by scores: neighbours whose joined text is
// a token merge, the highest score first; a character that is no token falls
// back to its bytes.

#include "runtime/core/text/SentencePiece.h"

#include "runtime/core/text/Utf8.h"

#include <algorithm>
#include <cmath>

namespace umber {

/// U+2581, which stands for a space in the vocabulary.
static constexpr std::string_view spaceMark = "\xE2\x96\x81";

struct SentencePiece::Symbol {
  size_t begin;
  /// Zero once the symbol was merged into the one before it.
  size_t length;
  int32_t previous;
  int32_t next;
};

/// A merge that was possible when it was queued.
struct SentencePiece::Candidate {
  float score;
  int32_t left;
  int32_t right;
  size_t length;

  /// Lower score is worse; of equal scores the leftmost is the best.
  bool operator<(const Candidate &other) const {
    return score != other.score ? score < other.score : left > other.left;
  }
};

SentencePiece::SentencePiece(const Vocabulary &vocabulary)
    : vocabulary(vocabulary) {
  constexpr char digits[] = "0123456789ABCDEF";
  for (unsigned byte = 0; byte < 256; ++byte) {
    char name[] = {'<', '0', 'x', digits[byte >> 4], digits[byte & 15], '>'};
    int32_t id = vocabulary.find({name, sizeof(name)});
    bool isByte = id >= 0 && vocabulary.type(id) == TokenType::Byte;
    byteToken[byte] = isByte ? id : -1;
  }
}

Result<std::unique_ptr<TokenizerModel>>
SentencePiece::create(const TokenizerData &data, const Vocabulary &vocabulary) {
  if (data.scores.size() != data.tokens.size()) {
    return Status(StatusCode::CorruptFile,
                  "tokenizer: expected one score for each of " +
                      std::to_string(data.tokens.size()) + " tokens, found " +
                      std::to_string(data.scores.size()));
  }
  for (size_t id = 0; id < data.scores.size(); ++id) {
    if (std::isnan(data.scores[id])) {
      return Status(StatusCode::CorruptFile, "tokenizer: the score of token " +
                                                 std::to_string(id) +
                                                 " is not a number");
    }
  }
  std::unique_ptr<SentencePiece> model(new SentencePiece(vocabulary));
  model->scores = data.scores;
  model->spacePrefix = data.addSpacePrefix.value_or(true);
  model->unkId = data.unkId;
  return std::unique_ptr<TokenizerModel>(std::move(model));
}

int32_t SentencePiece::findPiece(std::string_view text) const {
  int32_t id = vocabulary.find(text);
  if (id < 0) {
    return -1;
  }
  // Plain text never turns into a control token, nor into the name of a byte.
  TokenType type = vocabulary.type(id);
  bool isText = type == TokenType::Normal || type == TokenType::UserDefined;
  return isText ? id : -1;
}

Status SentencePiece::encode(std::string_view input, bool atStart,
                             std::vector<int32_t> &ids) const {
  if (input.empty()) {
    return Status();
  }
  std::string text;
  text.reserve(input.size() + input.size() / 4 + spaceMark.size());
  if (atStart && spacePrefix) {
    text += spaceMark;
  }
  for (char byte : input) {
    if (byte == ' ') {
      text += spaceMark;
    } else {
      text.push_back(byte);
    }
  }

  std::string_view view = text;
  std::vector<Symbol> symbols;
  for (size_t pos = 0; pos < view.size();) {
    size_t length = stepUtf8(view.substr(pos)).length;
    auto index = static_cast<int32_t>(symbols.size());
    symbols.push_back({pos, length, index - 1, index + 1});
    pos += length;
  }
  symbols.back().next = -1;

  std::vector<Candidate> queue;
  auto tryPair = [&](int32_t left, int32_t right) {
    if (left < 0 || right < 0) {
      return;
    }
    // Neighbours are contiguous, so their joined text is a slice.
    size_t length = symbols[left].length + symbols[right].length;
    int32_t id = findPiece(view.substr(symbols[left].begin, length));
    if (id >= 0) {
      queue.push_back({scores[id], left, right, length});
      std::push_heap(queue.begin(), queue.end());
    }
  };
  for (size_t i = 1; i < symbols.size(); ++i) {
    tryPair(static_cast<int32_t>(i) - 1, static_cast<int32_t>(i));
  }
  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end());
    Candidate best = queue.back();
    queue.pop_back();
    Symbol &left = symbols[best.left];
    Symbol &right = symbols[best.right];
    // A stale candidate: one of the two has merged since it was queued.
    if (left.length == 0 || right.length == 0 ||
        left.length + right.length != best.length) {
      continue;
    }
    left.length = best.length;
    right.length = 0;
    left.next = right.next;
    if (right.next >= 0) {
      symbols[right.next].previous = best.left;
    }
    tryPair(left.previous, best.left);
    tryPair(best.left, left.next);
  }

  for (int32_t i = 0; i >= 0; i = symbols[i].next) {
    std::string_view piece = view.substr(symbols[i].begin, symbols[i].length);
    int32_t id = findPiece(piece);
    if (id >= 0) {
      ids.push_back(id);
      continue;
    }
    for (char byte : piece) {
      int32_t fallback = byteToken[static_cast<unsigned char>(byte)];
      if (fallback >= 0 || unkId >= 0) {
        ids.push_back(fallback >= 0 ? fallback : unkId);
      }
    }
  }
  return Status();
}

void SentencePiece::appendPiece(int32_t id, std::string &out) const {
  std::string_view text = vocabulary.text(id);
  if (vocabulary.type(id) == TokenType::Byte) {
    auto digit = [&](size_t i) -> int {
      char c = i < text.size() ? text[i] : '?';
      return c >= '0' && c <= '9'   ? c - '0'
             : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                    : -1;
    };
    if (text.size() == 6 && digit(3) >= 0 && digit(4) >= 0) {
      out.push_back(static_cast<char>(digit(3) * 16 + digit(4)));
      return;
    }
  }
  while (!text.empty()) {
    size_t mark = text.find(spaceMark);
    out.append(text.substr(0, mark));
    if (mark == std::string_view::npos) {
      break;
    }
    out.push_back(' ');
    text.remove_prefix(mark + spaceMark.size());
  }
}

size_t SentencePiece::countUnencodable(std::string_view text) const {
  size_t count = 0;
  while (!text.empty()) {
    size_t length = stepUtf8(text).length;
    std::string_view character = text.substr(0, length);
    if (findPiece(character == " " ? spaceMark : character) < 0) {
      for (char byte : character) {
        count += byteToken[static_cast<unsigned char>(byte)] < 0;
      }
    }
    text.remove_prefix(length);
  }
  return count;
}

} // namespace umber
