// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_DIALECTS_UMBER_IMPORT_TOKENIZERIMPORT_H
#define UMBER_DIALECTS_UMBER_IMPORT_TOKENIZERIMPORT_H

#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>
#include <vector>

namespace umber {

namespace gguf {
class File;
} // namespace gguf

/// A tokenizer as packages hold it: the fields of `Tokenizer` in
/// runtime/package/umb.fbs.
struct TokenizerImport {
  std::string model;
  std::string pre;
  std::vector<std::string> tokens;
  std::vector<uint8_t> types;
  std::vector<float> scores;
  std::vector<uint32_t> merges; ///< pairs of token ids, best first
  int32_t bos = -1, eos = -1, eot = -1, unk = -1, pad = -1;
  std::vector<int32_t> endOfGeneration;
  bool addBos = false, addEos = false, addSpacePrefix = false;
  std::string chatTemplate;
};

/// Reads tokenizer.ggml.* and tokenizer.chat_template, checked against each
/// other: types and scores for every token, ids and merges within the
/// vocabulary.
llvm::Expected<TokenizerImport> importTokenizer(const gguf::File &file);

} // namespace umber

#endif // UMBER_DIALECTS_UMBER_IMPORT_TOKENIZERIMPORT_H
