// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/core/text/Utf8.h"

namespace umber {

namespace {

uint8_t byteAt(std::string_view text, size_t at) {
  return static_cast<uint8_t>(text[at]);
}

bool isContinuation(uint8_t byte) { return (byte & 0xC0) == 0x80; }

/// Bytes of a character by its first byte; 0 for what cannot be a first byte.
size_t expectedLength(uint8_t lead) {
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xC2 && lead < 0xE0) {
    return 2;
  }
  if (lead >= 0xE0 && lead < 0xF0) {
    return 3;
  }
  return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

/// Whether a second byte may follow a lead: excludes longer forms than needed,
/// surrogates, and what is above U+10FFFF.
bool secondFits(uint8_t lead, uint8_t second) {
  if (!isContinuation(second)) {
    return false;
  }
  switch (lead) {
  case 0xE0:
    return second >= 0xA0;
  case 0xED:
    return second < 0xA0;
  case 0xF0:
    return second >= 0x90;
  case 0xF4:
    return second < 0x90;
  default:
    return true;
  }
}

} // namespace

size_t utf8Length(std::string_view text) {
  size_t length = text.empty() ? 0 : expectedLength(byteAt(text, 0));
  if (length == 0 || length > text.size()) {
    return 0;
  }
  if (length > 1 && !secondFits(byteAt(text, 0), byteAt(text, 1))) {
    return 0;
  }
  for (size_t i = 2; i < length; ++i) {
    if (!isContinuation(byteAt(text, i))) {
      return 0;
    }
  }
  return length;
}

uint32_t utf8Decode(std::string_view text, size_t length) {
  static constexpr uint8_t masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  uint32_t character = byteAt(text, 0) & masks[length];
  for (size_t i = 1; i < length; ++i) {
    character = character << 6 | (byteAt(text, i) & 0x3F);
  }
  return character;
}

void utf8Append(std::string &text, uint32_t c) {
  if (c < 0x80) {
    text += char(c);
  } else if (c < 0x800) {
    text += char(0xC0 | c >> 6);
    text += char(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    text += char(0xE0 | c >> 12);
    text += char(0x80 | (c >> 6 & 0x3F));
    text += char(0x80 | (c & 0x3F));
  } else {
    text += char(0xF0 | c >> 18);
    text += char(0x80 | (c >> 12 & 0x3F));
    text += char(0x80 | (c >> 6 & 0x3F));
    text += char(0x80 | (c & 0x3F));
  }
}

size_t utf8IncompleteTail(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    uint8_t byte = byteAt(text, text.size() - back);
    if (isContinuation(byte)) {
      continue;
    }
    bool mayGrow =
        expectedLength(byte) > back &&
        (back == 1 || secondFits(byte, byteAt(text, text.size() - back + 1)));
    return mayGrow ? back : 0;
  }
  return 0;
}

} // namespace umber
