// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SentencePiece's byte-pair models (Kudo and Richardson 2018, arXiv:1808.06226)
// with byte fallback, as Llama 1 and 2, TinyLlama and Mistral have them. Pieces
// have scores instead of merges, and a space is U+2581.

#include "runtime/core/text/Tokenizer.h"
#include "runtime/core/text/Utf8.h"

#include <algorithm>
#include <cmath>

namespace umber {

namespace {

constexpr std::string_view kSpace = "\xE2\x96\x81";

/// Far above any vocabulary's, and low enough that trying every split of every
/// piece takes no time.
constexpr size_t kMaxPieceBytes = 1024;

std::string escapeSpaces(std::string_view text, bool prefix) {
  std::string escaped(prefix ? kSpace : "");
  for (char byte : text) {
    if (byte == ' ') {
      escaped += kSpace;
    } else {
      escaped += byte;
    }
  }
  return escaped;
}

/// Ranks by score, the best first; equal scores have one rank.
std::vector<int32_t> rankScores(const std::vector<float> &scores) {
  std::vector<float> sorted = scores;
  std::sort(sorted.begin(), sorted.end(), std::greater<float>());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  std::vector<int32_t> ranks;
  ranks.reserve(scores.size());
  for (float score : scores) {
    auto at = std::lower_bound(sorted.begin(), sorted.end(), score,
                               std::greater<float>());
    ranks.push_back(int32_t(at - sorted.begin()));
  }
  return ranks;
}

Status corrupt(const std::string &expected) {
  return Status(StatusCode::CorruptFile, "tokenizer: expected " + expected);
}

} // namespace

/// The byte that a piece such as <0x0A> stands for, or -1.
int Tokenizer::byteOfPiece(std::string_view piece) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  if (piece.size() != 6 || piece.substr(0, 3) != "<0x" || piece[5] != '>') {
    return -1;
  }
  size_t high = kDigits.find(piece[3]), low = kDigits.find(piece[4]);
  bool isByte = high != kDigits.npos && low != kDigits.npos;
  return isByte ? int(high * 16 + low) : -1;
}

Status Tokenizer::buildPieces() {
  if (data.scores.size() != data.tokens.size()) {
    return corrupt("a score for each of " + std::to_string(data.tokens.size()) +
                   " pieces, found " + std::to_string(data.scores.size()));
  }
  byteTokens.fill(data.unk);
  struct Split {
    int32_t left, right, result;
  };
  std::vector<Split> splits;
  for (size_t id = 0; id < data.tokens.size(); ++id) {
    std::string_view piece = data.tokens[id];
    if (typeOf(int32_t(id)) == TokenType::Byte) {
      if (int byte = byteOfPiece(piece); byte >= 0) {
        byteTokens[byte] = int32_t(id);
      }
    }
    if (typeOf(int32_t(id)) != TokenType::Normal) {
      continue;
    }
    if (piece.size() > kMaxPieceBytes || !std::isfinite(data.scores[id])) {
      return corrupt("pieces of at most " + std::to_string(kMaxPieceBytes) +
                     " bytes with finite scores, found another, number " +
                     std::to_string(id));
    }
    for (size_t at = 1; at < piece.size(); ++at) {
      int32_t left = find(piece.substr(0, at)), right = find(piece.substr(at));
      if (left >= 0 && right >= 0) {
        splits.push_back({left, right, int32_t(id)});
      }
    }
  }
  std::vector<int32_t> ranks = rankScores(data.scores);
  merges.reserve(splits.size());
  for (const Split &split : splits) {
    merges.add(split.left, split.right, {ranks[split.result], split.result});
  }
  return Status();
}

void Tokenizer::encodePieces(std::string_view text, bool prefix,
                             std::vector<int32_t> &ids) const {
  std::string escaped = escapeSpaces(text, prefix);
  std::string_view rest = escaped;
  std::vector<int32_t> symbols;
  while (!rest.empty()) {
    size_t length = std::max<size_t>(utf8Length(rest), 1);
    std::string_view character = rest.substr(0, length);
    int32_t id = find(character);
    if (id >= 0 && typeOf(id) == TokenType::Normal) {
      symbols.push_back(id);
    } else {
      for (char byte : character) {
        // Neither byte nor unknown token: nothing can stand for it.
        if (int32_t fallback = byteTokens[uint8_t(byte)]; fallback >= 0) {
          symbols.push_back(fallback);
        }
      }
    }
    rest.remove_prefix(length);
  }
  merges.apply(symbols);
  ids.insert(ids.end(), symbols.begin(), symbols.end());
}

void Tokenizer::decodePiece(int32_t id, std::string &text) const {
  std::string_view piece = data.tokens[id];
  if (typeOf(id) == TokenType::Byte) {
    if (int byte = byteOfPiece(piece); byte >= 0) {
      text += char(byte);
    }
    return;
  }
  while (!piece.empty()) {
    bool isSpace = piece.substr(0, kSpace.size()) == kSpace;
    text += isSpace ? ' ' : piece.front();
    piece.remove_prefix(isSpace ? kSpace.size() : 1);
  }
}

} // namespace umber
