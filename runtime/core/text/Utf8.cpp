// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// UTF-8 as the tokenizer meets it: any bytes at all.

#include "runtime/core/text/Utf8.h"

#include <cstdint>
#include <cstring>

namespace umber {

Utf8Step stepUtf8(std::string_view text) {
  auto byteAt = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned lead = byteAt(0);
  if (lead < 0x80) {
    return {Utf8Step::Valid, 1};
  }
  if (lead < 0xC2 || lead > 0xF4) {
    return {Utf8Step::Invalid, 1};
  }
  size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // Only the second byte's range depends on the lead byte: this is what rules
  // out overlong forms, surrogates and values above U+10FFFF.
  unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (size_t i = 1; i < length; ++i) {
    if (i == text.size()) {
      return {Utf8Step::Incomplete, i};
    }
    if (byteAt(i) < low || byteAt(i) > high) {
      return {Utf8Step::Invalid, i};
    }
    low = 0x80;
    high = 0xBF;
  }
  return {Utf8Step::Valid, length};
}

size_t validUtf8Prefix(std::string_view text) {
  size_t pos = 0;
  while (pos < text.size()) {
    // Most text is ASCII most of the time: eight bytes a step.
    uint64_t chunk;
    if (text.size() - pos >= sizeof(chunk)) {
      std::memcpy(&chunk, text.data() + pos, sizeof(chunk));
      if ((chunk & 0x8080808080808080u) == 0) {
        pos += sizeof(chunk);
        continue;
      }
    }
    Utf8Step step = stepUtf8(text.substr(pos));
    if (step.kind != Utf8Step::Valid) {
      break;
    }
    pos += step.length;
  }
  return pos;
}

void appendShortUtf8(unsigned codePoint, std::string &out) {
  if (codePoint < 0x80) {
    out.push_back(static_cast<char>(codePoint));
    return;
  }
  out.push_back(static_cast<char>(0xC0 | codePoint >> 6));
  out.push_back(static_cast<char>(0x80 | (codePoint & 0x3F)));
}

} // namespace umber
