// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Byte-level byte-pair encoding. Strings are only looked at when the merges are
// loaded; a text becomes byte tokens at once and merging works on ids.

#include "runtime/core/text/ByteLevelBpe.h"

#include "runtime/core/text/ByteLevel.h"
#include "runtime/core/text/Hash.h"
#include "runtime/core/text/PreTokenizerTable.h"
#include "runtime/core/text/Utf8.h"

#include <algorithm>

namespace umber {

/// A piece of the word being merged, in a doubly linked list of positions.
struct ByteLevelBpe::Symbol {
  /// The token, or -1 for a byte that has none: it never merges.
  int32_t id;
  int32_t previous;
  int32_t next;
};

/// A merge that was possible when it was queued.
struct ByteLevelBpe::Candidate {
  /// Rank above position, so that the smallest is the best and the leftmost.
  uint64_t order;
  int32_t left;
  int32_t right;
  int32_t result;

  bool operator<(const Candidate &other) const { return order > other.order; }
};

struct ByteLevelBpe::Scratch {
  std::vector<Symbol> symbols;
  std::vector<Candidate> queue;
  std::string text;
};

static uint64_t hashPair(int32_t left, int32_t right) {
  uint64_t key = static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 |
                 static_cast<uint32_t>(right);
  return XXH3_64bits(&key, sizeof(key));
}

ByteLevelBpe::ByteLevelBpe(const Vocabulary &vocabulary,
                           PreTokenizer preTokenizer, bool ignoreMerges)
    : vocabulary(vocabulary), preTokenizer(std::move(preTokenizer)),
      ignoreMerges(ignoreMerges) {
  std::string text;
  for (unsigned byte = 0; byte < 256; ++byte) {
    text.clear();
    char raw = static_cast<char>(byte);
    encodeByteLevel({&raw, 1}, text);
    byteToken[byte] = vocabulary.find(text);
  }
}

Result<std::unique_ptr<TokenizerModel>>
ByteLevelBpe::create(const TokenizerData &data, const Vocabulary &vocabulary) {
  const PreTokenizerInfo *info = findPreTokenizer(data.pre);
  std::vector<std::string_view> patterns = data.patterns;
  if (patterns.empty()) {
    if (!info) {
      return Status(StatusCode::Unsupported,
                    "tokenizer: unknown pre-tokenizer '" +
                        std::string(data.pre) + "' (tokenizer.ggml.pre)");
    }
    for (const char *const *p = info->patterns; *p; ++p) {
      patterns.push_back(*p);
    }
  }
  Result<PreTokenizer> preTokenizer = PreTokenizer::create(patterns);
  if (!preTokenizer.ok()) {
    return preTokenizer.status();
  }
  bool ignoreMerges = data.ignoreMerges.value_or(info && info->ignoreMerges);
  std::unique_ptr<ByteLevelBpe> model(
      new ByteLevelBpe(vocabulary, std::move(*preTokenizer), ignoreMerges));
  Status status = model->resolveMerges(data.merges);
  if (!status.ok()) {
    return status;
  }
  return std::unique_ptr<TokenizerModel>(std::move(model));
}

Status ByteLevelBpe::resolveMerges(const std::vector<std::string_view> &texts) {
  merges.assign(tableSizeFor(texts.size()), Merge{0, 0, 0, -1});
  size_t mask = merges.size() - 1;
  std::string joined;
  for (size_t rank = 0; rank < texts.size(); ++rank) {
    std::string_view text = texts[rank];
    // No token of the byte alphabet holds a space, but the left one may be any
    // single character, so the separator is searched for from the second byte.
    size_t space = text.find(' ', 1);
    std::string_view left = text.substr(0, space);
    std::string_view right =
        space < text.size() ? text.substr(space + 1) : std::string_view();
    joined.assign(left);
    joined.append(right);
    Merge merge{vocabulary.find(left), vocabulary.find(right),
                static_cast<uint32_t>(rank), vocabulary.find(joined)};
    if (left.empty() || right.empty() || merge.left < 0 || merge.right < 0 ||
        merge.result < 0) {
      return Status(StatusCode::CorruptFile,
                    "tokenizer: merge " + std::to_string(rank) +
                        ": expected two tokens that make a third, found '" +
                        std::string(text.substr(0, 80)) + "'");
    }
    size_t i = hashPair(merge.left, merge.right) & mask;
    while (merges[i].result >= 0 &&
           (merges[i].left != merge.left || merges[i].right != merge.right)) {
      i = (i + 1) & mask;
    }
    // Of two equal merges the first, which has the better rank, counts.
    if (merges[i].result < 0) {
      merges[i] = merge;
    }
  }
  return Status();
}

const ByteLevelBpe::Merge *ByteLevelBpe::findMerge(int32_t left,
                                                   int32_t right) const {
  size_t mask = merges.size() - 1;
  for (size_t i = hashPair(left, right) & mask; merges[i].result >= 0;
       i = (i + 1) & mask) {
    if (merges[i].left == left && merges[i].right == right) {
      return &merges[i];
    }
  }
  return nullptr;
}

Status ByteLevelBpe::encode(std::string_view text, bool atStart,
                            std::vector<int32_t> &ids) const {
  Scratch scratch;
  std::vector<PreTokenizer::Span> spans;
  while (!text.empty()) {
    // The patterns see well-formed UTF-8 only. What is not is a word of its
    // own, which byte tokens can still represent exactly.
    size_t valid = validUtf8Prefix(text);
    std::string_view segment = text.substr(0, valid);
    Status status = preTokenizer.split(segment, spans);
    if (!status.ok()) {
      return status;
    }
    for (PreTokenizer::Span span : spans) {
      encodeWord(segment.substr(span.begin, span.end - span.begin), scratch,
                 ids);
    }
    text.remove_prefix(valid);
    size_t invalid = 0;
    while (invalid < text.size()) {
      Utf8Step step = stepUtf8(text.substr(invalid));
      if (step.kind == Utf8Step::Valid) {
        break;
      }
      invalid += step.length;
    }
    encodeWord(text.substr(0, invalid), scratch, ids);
    text.remove_prefix(invalid);
  }
  return Status();
}

void ByteLevelBpe::encodeWord(std::string_view word, Scratch &scratch,
                              std::vector<int32_t> &ids) const {
  if (ignoreMerges && word.size() <= vocabulary.longestText()) {
    scratch.text.clear();
    encodeByteLevel(word, scratch.text);
    int32_t id = vocabulary.find(scratch.text);
    if (id >= 0 && vocabulary.type(id) == TokenType::Normal) {
      ids.push_back(id);
      return;
    }
  }

  std::vector<Symbol> &symbols = scratch.symbols;
  std::vector<Candidate> &queue = scratch.queue;
  symbols.clear();
  queue.clear();
  auto count = static_cast<int32_t>(word.size());
  auto candidateAt = [&](int32_t left, int32_t right) {
    const Symbol &a = symbols[left];
    const Symbol &b = symbols[right];
    const Merge *merge = a.id < 0 || b.id < 0 ? nullptr : findMerge(a.id, b.id);
    if (merge) {
      queue.push_back({static_cast<uint64_t>(merge->rank) << 32 |
                           static_cast<uint32_t>(left),
                       a.id, b.id, merge->result});
    }
    return merge != nullptr;
  };
  for (int32_t i = 0; i < count; ++i) {
    int32_t id = byteToken[static_cast<unsigned char>(word[i])];
    symbols.push_back({id, i - 1, i + 1 < count ? i + 1 : -1});
    if (i > 0) {
      candidateAt(i - 1, i);
    }
  }
  std::make_heap(queue.begin(), queue.end());
  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end());
    Candidate best = queue.back();
    queue.pop_back();
    auto left = static_cast<int32_t>(best.order & 0xFFFFFFFFu);
    int32_t right = symbols[left].next;
    // The queue is not cleaned up when a neighbour merges: a candidate whose
    // pair is no longer there is stale. A symbol that was merged away has no
    // next one.
    if (right < 0 || symbols[left].id != best.left ||
        symbols[right].id != best.right) {
      continue;
    }
    int32_t after = symbols[right].next;
    symbols[left].id = best.result;
    symbols[left].next = after;
    symbols[right].next = -1;
    if (after >= 0) {
      symbols[after].previous = left;
      if (candidateAt(left, after)) {
        std::push_heap(queue.begin(), queue.end());
      }
    }
    if (symbols[left].previous >= 0 &&
        candidateAt(symbols[left].previous, left)) {
      std::push_heap(queue.begin(), queue.end());
    }
  }
  for (int32_t i = count > 0 ? 0 : -1; i >= 0; i = symbols[i].next) {
    if (symbols[i].id >= 0) {
      ids.push_back(symbols[i].id);
    }
  }
}

void ByteLevelBpe::appendPiece(int32_t id, std::string &out) const {
  decodeByteLevel(vocabulary.text(id), out);
}

size_t ByteLevelBpe::countUnencodable(std::string_view text) const {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [this](char byte) {
        return byteToken[static_cast<unsigned char>(byte)] < 0;
      }));
}

} // namespace umber
