// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_COMMON_IMPORTEDTOKENIZER_H
#define UMBER_TOOLS_COMMON_IMPORTEDTOKENIZER_H

#include "dialects/Umber/Import/TokenizerImport.h"
#include "runtime/core/text/TokenizerData.h"

namespace umber {

/// What the runtime's tokenizer is made from; has views of `imported`.
inline TokenizerData makeTokenizerData(const TokenizerImport &imported) {
  TokenizerData data;
  data.model = imported.model;
  data.pre = imported.pre;
  data.tokens.assign(imported.tokens.begin(), imported.tokens.end());
  data.types = imported.types;
  data.merges = imported.merges;
  data.scores = imported.scores;
  data.bos = imported.bos;
  data.eos = imported.eos;
  data.eot = imported.eot;
  data.unk = imported.unk;
  data.pad = imported.pad;
  data.addBos = imported.addBos;
  data.addEos = imported.addEos;
  data.addSpacePrefix = imported.addSpacePrefix;
  return data;
}

} // namespace umber

#endif // UMBER_TOOLS_COMMON_IMPORTEDTOKENIZER_H
