// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Import/TokenizerImport.h"
#include "dialects/Umber/Import/GGUF/GGUFFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace llvm;

namespace umber {

namespace {

class TokenizerReader {
public:
  explicit TokenizerReader(const gguf::File &file) : file(file) {}

  Expected<TokenizerImport> run() {
    for (auto step :
         {&TokenizerReader::readTokens, &TokenizerReader::readMerges,
          &TokenizerReader::readSpecials}) {
      if (Error error = (this->*step)()) {
        return error;
      }
    }
    collectEndOfGeneration();
    return std::move(tokenizer);
  }

private:
  static std::string key(StringRef name) {
    return ("tokenizer.ggml." + name).str();
  }
  Error readTokens();
  Error readMerges();
  Error readSpecials();
  Error readId(int32_t &id, StringRef name);
  Error readFlag(bool &flag, StringRef name);
  void collectEndOfGeneration();

  const gguf::File &file;
  TokenizerImport tokenizer;
  StringMap<uint32_t> idOf;
};

Error TokenizerReader::readTokens() {
  auto model = file.getString(key("model"));
  if (!model) {
    return model.takeError();
  }
  tokenizer.model = model->str();
  if (file.has(key("pre"))) {
    auto pre = file.getString(key("pre"));
    if (!pre) {
      return pre.takeError();
    }
    tokenizer.pre = pre->str();
  }
  auto tokens = file.getStrings(key("tokens"));
  if (!tokens) {
    return tokens.takeError();
  }
  for (auto [id, token] : enumerate(*tokens)) {
    tokenizer.tokens.push_back(token.str());
    idOf.try_emplace(token, id);
  }
  size_t count = tokenizer.tokens.size();
  tokenizer.types.assign(count, 1);
  if (file.has(key("token_type"))) {
    auto types = file.getIntegers(key("token_type"));
    if (!types) {
      return types.takeError();
    }
    if (types->size() != count) {
      return file.makeError("key '" + key("token_type") + "': expected " +
                            Twine(count) + " types, one per token, found " +
                            Twine(types->size()));
    }
    for (auto [id, type] : enumerate(*types)) {
      if (type < 0 || type > 6) {
        return file.makeError("key '" + key("token_type") +
                              "': expected types of 0 to 6, found " +
                              Twine(type) + " for token " + Twine(id));
      }
      tokenizer.types[id] = uint8_t(type);
    }
  }
  if (!file.has(key("scores"))) {
    return Error::success();
  }
  auto scores = file.getFloats(key("scores"));
  if (!scores) {
    return scores.takeError();
  }
  if (scores->size() != count) {
    return file.makeError("key '" + key("scores") + "': expected " +
                          Twine(count) + " scores, one per token, found " +
                          Twine(scores->size()));
  }
  tokenizer.scores.assign(scores->begin(), scores->end());
  return Error::success();
}

Error TokenizerReader::readMerges() {
  if (!file.has(key("merges"))) {
    return Error::success();
  }
  auto merges = file.getStrings(key("merges"));
  if (!merges) {
    return merges.takeError();
  }
  for (auto [rank, merge] : enumerate(*merges)) {
    // The space that parts a pair is not the first character of either.
    size_t space = merge.find(' ', 1);
    if (space == StringRef::npos) {
      return file.makeError(
          "key '" + key("merges") +
          "': expected two tokens parted by a space in entry " + Twine(rank));
    }
    StringRef left = merge.take_front(space),
              right = merge.drop_front(space + 1);
    auto l = idOf.find(left), r = idOf.find(right);
    auto whole = idOf.find((left + right).str());
    if (l == idOf.end() || r == idOf.end() || whole == idOf.end()) {
      return file.makeError("key '" + key("merges") + "': expected entry " +
                            Twine(rank) +
                            " to join two tokens of the vocabulary to a third");
    }
    tokenizer.merges.push_back(l->second);
    tokenizer.merges.push_back(r->second);
  }
  return Error::success();
}

Error TokenizerReader::readId(int32_t &id, StringRef name) {
  if (!file.has(key(name))) {
    return Error::success();
  }
  auto value = file.getInteger(key(name));
  if (!value) {
    return value.takeError();
  }
  if (*value < 0 || *value >= int64_t(tokenizer.tokens.size())) {
    return file.makeError("key '" + key(name) + "': expected an id below " +
                          Twine(tokenizer.tokens.size()) + ", found " +
                          Twine(*value));
  }
  id = int32_t(*value);
  return Error::success();
}

Error TokenizerReader::readFlag(bool &flag, StringRef name) {
  if (!file.has(key(name))) {
    return Error::success();
  }
  auto value = file.getBool(key(name));
  if (!value) {
    return value.takeError();
  }
  flag = *value;
  return Error::success();
}

Error TokenizerReader::readSpecials() {
  // Byte-pair models add nothing unless they say so; SentencePiece models do.
  bool isSentencePiece = tokenizer.model == "llama";
  tokenizer.addBos = tokenizer.addSpacePrefix = isSentencePiece;
  struct Id {
    int32_t &id;
    StringLiteral name;
  };
  for (auto [id, name] :
       {Id{tokenizer.bos, "bos_token_id"}, Id{tokenizer.eos, "eos_token_id"},
        Id{tokenizer.eot, "eot_token_id"},
        Id{tokenizer.unk, "unknown_token_id"},
        Id{tokenizer.pad, "padding_token_id"}}) {
    if (Error error = readId(id, name)) {
      return error;
    }
  }
  struct Flag {
    bool &flag;
    StringLiteral name;
  };
  for (auto [flag, name] :
       {Flag{tokenizer.addBos, "add_bos_token"},
        Flag{tokenizer.addEos, "add_eos_token"},
        Flag{tokenizer.addSpacePrefix, "add_space_prefix"}}) {
    if (Error error = readFlag(flag, name)) {
      return error;
    }
  }
  if (file.has("tokenizer.chat_template")) {
    auto text = file.getString("tokenizer.chat_template");
    if (!text) {
      return text.takeError();
    }
    tokenizer.chatTemplate = text->str();
  }
  return Error::success();
}

void TokenizerReader::collectEndOfGeneration() {
  auto add = [&](int32_t id) {
    if (id >= 0 && !is_contained(tokenizer.endOfGeneration, id)) {
      tokenizer.endOfGeneration.push_back(id);
    }
  };
  add(tokenizer.eos);
  add(tokenizer.eot);
  // Models that name only one end still mean the others of their family.
  for (StringRef text :
       {"<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>",
        "<|eom_id|>", "<EOT>", "<|end_of_text|>"}) {
    auto it = idOf.find(text);
    if (it != idOf.end() && tokenizer.types[it->second] == 3) {
      add(int32_t(it->second));
    }
  }
}

} // namespace

Expected<TokenizerImport> importTokenizer(const gguf::File &file) {
  return TokenizerReader(file).run();
}

} // namespace umber
