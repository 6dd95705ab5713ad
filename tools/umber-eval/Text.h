// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_EVAL_TEXT_H
#define UMBER_TOOLS_UMBER_EVAL_TEXT_H

#include "umber/umber.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace umber::tools {

/// A text's tokens, cut into chunks of `context` tokens; what is left over at
/// the end is dropped. Where the model's training put a beginning token in
/// front of a text, one stands in front of the whole and in the place of each
/// chunk's first token.
class ChunkedText {
public:
  /// ToolError if the text has not even one chunk.
  ChunkedText(const umber_model *model, const std::string &path,
              size_t context);

  size_t context() const { return chunkTokens; }
  /// At least 1.
  size_t chunks() const { return chunkCount; }
  const int32_t *chunk(size_t index) const {
    return ids.data() + index * chunkTokens;
  }

  /// Uses the first `most` chunks, or all if there are fewer.
  void limit(size_t most);

  /// Whether the text has so many chunks, however many are used.
  bool hasChunks(size_t count) const {
    return count <= ids.size() / chunkTokens;
  }
  /// Of the tokens of the first `count` chunks.
  uint64_t hashOfFirst(size_t count) const;
  uint64_t hash() const { return hashOfFirst(chunkCount); }

private:
  size_t chunkTokens;
  size_t chunkCount;
  std::vector<int32_t> ids;
};

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_EVAL_TEXT_H
