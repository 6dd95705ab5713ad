// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-eval/Text.h"

#include "tools/common/Handles.h"
#include "tools/umber-eval/Base.h"

#include <algorithm>

namespace umber::tools {

namespace {

/// Whether the model wants its beginning token in front of a text: the tokens
/// of an empty text tell.
bool addsBeginning(const umber_model *model, int32_t beginning) {
  std::vector<int32_t> special =
      tokenize(model, "", UMBER_TOKENIZE_ADD_SPECIAL);
  return !special.empty() && special.front() == beginning;
}

} // namespace

ChunkedText::ChunkedText(const umber_model *model, const std::string &path,
                         size_t context)
    : chunkTokens(context) {
  std::string text = readFile(path);
  // llama-perplexity drops one line end from the end of the file.
  if (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  ids = tokenize(model, text, 0);
  int32_t beginning = modelInfo(model).bos;
  bool begins = addsBeginning(model, beginning);
  if (begins) {
    ids.insert(ids.begin(), beginning);
  }
  chunkCount = ids.size() / context;
  if (chunkCount == 0) {
    throw ToolError(path + ": expected at least " + std::to_string(context) +
                    " tokens, one chunk, found " + std::to_string(ids.size()));
  }
  if (begins) {
    for (size_t i = 0; i < chunkCount; ++i) {
      ids[i * context] = beginning;
    }
  }
}

void ChunkedText::limit(size_t most) {
  chunkCount = std::min(chunkCount, most);
}

uint64_t ChunkedText::hashOfFirst(size_t count) const {
  return hashTokens(ids.data(), count * chunkTokens);
}

} // namespace umber::tools
