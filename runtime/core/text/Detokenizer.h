// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shows tokens as text while they are generated.

#ifndef UMBER_RUNTIME_CORE_TEXT_DETOKENIZER_H
#define UMBER_RUNTIME_CORE_TEXT_DETOKENIZER_H

#include "runtime/core/text/Tokenizer.h"

namespace umber {

/// Turns a stream of tokens into well-formed UTF-8. A sequence that is split
/// over tokens is held back until it is complete; bytes that can no longer
/// become a character are shown as U+FFFD, one for each maximal ill-formed
/// part, as Unicode recommends. For one stream: not to be shared by threads.
class Detokenizer {
public:
  /// The tokenizer must outlive the detokenizer.
  explicit Detokenizer(const Tokenizer &tokenizer, DecodeOptions options = {})
      : tokenizer(tokenizer), options(options) {}

  /// Appends what can be shown now that this token has come.
  Status push(int32_t id, std::string &out);

  /// The stream ends: appends U+FFFD for a sequence that was never completed.
  void flush(std::string &out);

private:
  void emitComplete(bool atEnd, std::string &out);

  const Tokenizer &tokenizer;
  DecodeOptions options;
  /// The bytes held back: at most three between calls.
  std::string pending;
};

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_DETOKENIZER_H
