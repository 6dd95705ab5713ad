// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Token texts and types, and the way from a text back to its id.

#include "runtime/core/text/Vocabulary.h"

#include "runtime/core/text/Hash.h"

#include <algorithm>
#include <string>

namespace umber {

/// Ids are 32-bit and logits are one float a token: nobody's vocabulary is near
/// this, and a file that claims more is damaged.
static constexpr size_t maxVocabulary = size_t(1) << 24;

static Status corrupt(std::string message) {
  return Status(StatusCode::CorruptFile, "tokenizer: " + std::move(message));
}

Result<Vocabulary> Vocabulary::create(const TokenizerData &data) {
  size_t count = data.tokens.size();
  if (count == 0) {
    return corrupt("the vocabulary is empty");
  }
  if (count > maxVocabulary) {
    return corrupt("expected at most " + std::to_string(maxVocabulary) +
                   " tokens, found " + std::to_string(count));
  }
  if (!data.types.empty() && data.types.size() != count) {
    return corrupt("expected one type for each of " + std::to_string(count) +
                   " tokens, found " + std::to_string(data.types.size()));
  }
  for (size_t id = 0; id < data.types.size(); ++id) {
    if (data.types[id] < 1 || data.types[id] > 6) {
      return corrupt("token " + std::to_string(id) +
                     ": expected a type from 1 to 6, found " +
                     std::to_string(data.types[id]));
    }
  }
  const std::pair<const char *, int32_t> named[] = {{"bos", data.bosId},
                                                    {"eos", data.eosId},
                                                    {"eot", data.eotId},
                                                    {"unknown", data.unkId}};
  for (auto [name, id] : named) {
    if (id < -1 || id >= static_cast<int64_t>(count)) {
      return corrupt(std::string("the ") + name + " token's id " +
                     std::to_string(id) + " is outside the vocabulary of " +
                     std::to_string(count));
    }
  }

  Vocabulary vocabulary;
  vocabulary.tokens = data.tokens;
  vocabulary.types = data.types;
  vocabulary.slots.assign(tableSizeFor(count), Slot{0, -1});
  for (size_t id = 0; id < count; ++id) {
    vocabulary.longest = std::max(vocabulary.longest, data.tokens[id].size());
    vocabulary.insert(static_cast<int32_t>(id));
  }
  return vocabulary;
}

void Vocabulary::insert(int32_t id) {
  uint64_t hash = hashBytes(tokens[id]);
  auto tag = static_cast<uint32_t>(hash >> 32);
  size_t mask = slots.size() - 1;
  size_t i = hash & mask;
  while (slots[i].id >= 0 &&
         (slots[i].tag != tag || tokens[slots[i].id] != tokens[id])) {
    i = (i + 1) & mask;
  }
  slots[i] = {tag, id};
}

int32_t Vocabulary::find(std::string_view text) const {
  if (text.size() > longest) {
    return -1;
  }
  uint64_t hash = hashBytes(text);
  auto tag = static_cast<uint32_t>(hash >> 32);
  size_t mask = slots.size() - 1;
  for (size_t i = hash & mask; slots[i].id >= 0; i = (i + 1) & mask) {
    if (slots[i].tag == tag && tokens[slots[i].id] == text) {
      return slots[i].id;
    }
  }
  return -1;
}

} // namespace umber
