// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shows tokens as text while they are generated.

#include "runtime/core/text/Detokenizer.h"

#include "runtime/core/text/Utf8.h"

namespace umber {

Status Detokenizer::push(int32_t id, std::string &out) {
  Status status = tokenizer.appendPiece(id, options, pending);
  if (status.ok()) {
    emitComplete(/*atEnd=*/false, out);
  }
  return status;
}

void Detokenizer::flush(std::string &out) { emitComplete(/*atEnd=*/true, out); }

void Detokenizer::emitComplete(bool atEnd, std::string &out) {
  std::string_view rest = pending;
  while (!rest.empty()) {
    size_t valid = validUtf8Prefix(rest);
    out.append(rest.substr(0, valid));
    rest.remove_prefix(valid);
    if (rest.empty()) {
      break;
    }
    Utf8Step step = stepUtf8(rest);
    if (step.kind == Utf8Step::Incomplete && !atEnd) {
      break;
    }
    out.append("\xEF\xBF\xBD");
    rest.remove_prefix(step.length);
  }
  pending.erase(0, pending.size() - rest.size());
}

} // namespace umber
