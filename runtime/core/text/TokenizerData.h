// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_RUNTIME_CORE_TEXT_TOKENIZERDATA_H
#define UMBER_RUNTIME_CORE_TEXT_TOKENIZERDATA_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace umber {

/// What a token is, as GGUF numbers it.
enum class TokenType : uint8_t {
  Undefined = 0,
  Normal = 1,
  Unknown = 2,
  Control = 3,
  UserDefined = 4,
  Unused = 5,
  Byte = 6,
};

/// A tokenizer's tables, as the table `Tokenizer` in umb.fbs describes them.
/// Views must outlive what is made from them.
struct TokenizerData {
  std::string model; ///< "gpt2": byte-level BPE; "llama": SentencePiece's BPE
  std::string pre;   ///< name of the pre-tokenizer
  std::vector<std::string_view> tokens;
  std::vector<uint8_t> types;   ///< a TokenType per token
  std::vector<uint32_t> merges; ///< pairs of ids, best first; for gpt2
  std::vector<float> scores;    ///< one per token, for llama
  int32_t bos = -1, eos = -1, eot = -1, unk = -1, pad = -1;
  bool addBos = false, addEos = false;
  bool addSpacePrefix = false; ///< for llama
};

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_TOKENIZERDATA_H
