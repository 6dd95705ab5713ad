// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GPT-2's printable byte alphabet. Bytes that Latin-1 prints stand for
// themselves; the 68 others take the code points from U+0100 on, in order.

#include "runtime/core/text/ByteLevel.h"

#include "runtime/core/text/Utf8.h"

#include <array>
#include <cstdint>

namespace umber {

static constexpr unsigned alphabetEnd = 0x100 + 68;

static constexpr bool isPrintedAsItself(unsigned byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) ||
         byte >= 0xAE;
}

static constexpr std::array<uint16_t, 256> makeByteToCodePoint() {
  std::array<uint16_t, 256> table{};
  uint16_t next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    table[byte] =
        isPrintedAsItself(byte) ? static_cast<uint16_t>(byte) : next++;
  }
  return table;
}

static constexpr std::array<uint16_t, 256> byteToCodePoint =
    makeByteToCodePoint();

/// Code point to byte, or -1 where the alphabet has a hole.
static constexpr std::array<int16_t, alphabetEnd> makeCodePointToByte() {
  std::array<int16_t, alphabetEnd> table{};
  for (int16_t &entry : table) {
    entry = -1;
  }
  for (unsigned byte = 0; byte < 256; ++byte) {
    table[byteToCodePoint[byte]] = static_cast<int16_t>(byte);
  }
  return table;
}

static constexpr std::array<int16_t, alphabetEnd> codePointToByte =
    makeCodePointToByte();

void encodeByteLevel(std::string_view bytes, std::string &out) {
  for (char byte : bytes) {
    appendShortUtf8(byteToCodePoint[static_cast<unsigned char>(byte)], out);
  }
}

void decodeByteLevel(std::string_view text, std::string &out) {
  while (!text.empty()) {
    Utf8Step step = stepUtf8(text);
    auto first = static_cast<unsigned char>(text[0]);
    unsigned codePoint = alphabetEnd;
    if (step.kind == Utf8Step::Valid && step.length == 1) {
      codePoint = first;
    } else if (step.kind == Utf8Step::Valid && step.length == 2) {
      codePoint =
          (first & 0x1Fu) << 6 | (static_cast<unsigned char>(text[1]) & 0x3Fu);
    }
    int byte = codePoint < alphabetEnd ? codePointToByte[codePoint] : -1;
    if (byte >= 0) {
      out.push_back(static_cast<char>(byte));
    } else {
      out.append(text.substr(0, step.length));
    }
    text.remove_prefix(step.length);
  }
}

} // namespace umber
