// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text to token ids and back.

#include "runtime/core/text/Tokenizer.h"

#include "runtime/core/text/ByteLevelBpe.h"
#include "runtime/core/text/PreTokenizerTable.h"
#include "runtime/core/text/SentencePiece.h"

#include <algorithm>
#include <limits>

namespace umber {

/// Control tokens that end an answer in every model that has them. A chat
/// model's files often name only one of several, so the names count, too.
static constexpr std::string_view endOfGenerationNames[] = {
    "<|eot_id|>", "<|im_end|>",    "<|end|>",
    "<|return|>", "<|endoftext|>", "<|end_of_text|>",
    "<|eom_id|>", "<end_of_turn>", "<EOT>",
    "</s>",       "<|eos|>",       "<|END_OF_TURN_TOKEN|>"};

Result<Tokenizer> Tokenizer::create(const TokenizerData &data) {
  Result<Vocabulary> vocabulary = Vocabulary::create(data);
  if (!vocabulary.ok()) {
    return vocabulary.status();
  }
  Tokenizer result;
  result.vocabulary =
      std::make_unique<const Vocabulary>(std::move(*vocabulary));
  result.special = std::make_unique<const SpecialTokens>(*result.vocabulary);
  result.bos = data.bosId;
  result.eos = data.eosId;

  Result<std::unique_ptr<TokenizerModel>> model =
      Status(StatusCode::Unsupported,
             "tokenizer: expected the model 'gpt2' or 'llama' "
             "(tokenizer.ggml.model), found '" +
                 std::string(data.model) + "'");
  if (data.model == "gpt2") {
    const PreTokenizerInfo *info = findPreTokenizer(data.pre);
    result.addBos = data.addBos.value_or(info && info->addBos);
    model = ByteLevelBpe::create(data, *result.vocabulary);
  } else if (data.model == "llama") {
    result.addBos = data.addBos.value_or(true);
    model = SentencePiece::create(data, *result.vocabulary);
  }
  if (!model.ok()) {
    return model.status();
  }
  result.model = std::move(*model);
  result.addEos = data.addEos.value_or(false);
  if ((result.addBos && result.bos < 0) || (result.addEos && result.eos < 0)) {
    return Status(StatusCode::CorruptFile,
                  std::string("tokenizer: asked to add a ") +
                      (result.addBos && result.bos < 0 ? "bos" : "eos") +
                      " token, but it has no id");
  }
  result.collectEndOfGeneration(data);
  return result;
}

void Tokenizer::collectEndOfGeneration(const TokenizerData &data) {
  for (int32_t id : {data.eosId, data.eotId}) {
    if (id >= 0) {
      endOfGeneration.push_back(id);
    }
  }
  for (std::string_view name : endOfGenerationNames) {
    int32_t id = vocabulary->find(name);
    if (id >= 0 && vocabulary->type(id) == TokenType::Control) {
      endOfGeneration.push_back(id);
    }
  }
  std::sort(endOfGeneration.begin(), endOfGeneration.end());
}

bool Tokenizer::isEndOfGeneration(int32_t id) const {
  return std::binary_search(endOfGeneration.begin(), endOfGeneration.end(), id);
}

Result<std::vector<int32_t>> Tokenizer::encode(std::string_view text,
                                               EncodeOptions options) const {
  // Positions in a word are 32-bit; a space may take three bytes.
  constexpr size_t limit = std::numeric_limits<int32_t>::max() / 3;
  if (text.size() > limit) {
    return Status(StatusCode::InvalidArgument,
                  "tokenizer: expected a text of at most " +
                      std::to_string(limit) + " bytes, found " +
                      std::to_string(text.size()));
  }
  std::vector<int32_t> ids;
  if (options.addSpecial && addBos) {
    ids.push_back(bos);
  }
  bool atStart = true;
  for (size_t pos = 0; pos < text.size();) {
    SpecialTokens::Match match =
        special->findFirst(text, pos, options.parseSpecial);
    Status status =
        model->encode(text.substr(pos, match.begin - pos), atStart, ids);
    if (!status.ok()) {
      return status;
    }
    if (match.id >= 0) {
      ids.push_back(match.id);
      atStart = true;
    }
    pos = match.end;
  }
  if (options.addSpecial && addEos) {
    ids.push_back(eos);
  }
  return ids;
}

Status Tokenizer::appendPiece(int32_t id, DecodeOptions options,
                              std::string &out) const {
  if (!vocabulary->contains(id)) {
    return Status(StatusCode::InvalidArgument,
                  "tokenizer: token id " + std::to_string(id) +
                      " is outside the vocabulary of " +
                      std::to_string(vocabulary->size()));
  }
  switch (vocabulary->type(id)) {
  case TokenType::Normal:
  case TokenType::Byte:
    model->appendPiece(id, out);
    break;
  case TokenType::UserDefined:
    out.append(vocabulary->text(id));
    break;
  case TokenType::Unknown:
  case TokenType::Control:
  case TokenType::Unused:
    if (options.showSpecial) {
      out.append(vocabulary->text(id));
    }
    break;
  }
  return Status();
}

Result<std::string> Tokenizer::decode(const std::vector<int32_t> &ids,
                                      DecodeOptions options) const {
  std::string out;
  // Where encode puts a space before a text, decoding takes it away again:
  // after each special token, as encode does.
  bool atStart = model->addsSpacePrefix();
  for (int32_t id : ids) {
    size_t before = out.size();
    Status status = appendPiece(id, options, out);
    if (!status.ok()) {
      return status;
    }
    TokenType type = vocabulary->type(id);
    if (type != TokenType::Normal && type != TokenType::Byte) {
      atStart = model->addsSpacePrefix();
    } else if (atStart) {
      if (out.size() > before && out[before] == ' ') {
        out.erase(before, 1);
      }
      atStart = false;
    }
  }
  return out;
}

} // namespace umber
