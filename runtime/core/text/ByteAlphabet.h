// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Byte-level BPE writes every byte as a printable character, so that tokens are
// text (Radford et al. 2019, GPT-2): printable Latin-1 bytes are themselves,
// the other 68 are U+0100 and on, in order.

#ifndef UMBER_RUNTIME_CORE_TEXT_BYTEALPHABET_H
#define UMBER_RUNTIME_CORE_TEXT_BYTEALPHABET_H

#include <array>
#include <cstdint>

namespace umber {

constexpr bool isItsOwnCharacter(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) ||
         (byte >= 0xAE && byte <= 0xFF);
}

constexpr std::array<uint16_t, 256> makeByteAlphabet() {
  std::array<uint16_t, 256> characters = {};
  uint16_t next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    characters[byte] = isItsOwnCharacter(byte) ? uint16_t(byte) : next++;
  }
  return characters;
}

/// The character of each byte.
inline constexpr std::array<uint16_t, 256> kByteAlphabet = makeByteAlphabet();

/// The byte that a character stands for, or -1.
constexpr int byteOfCharacter(uint32_t character) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (kByteAlphabet[byte] == character) {
      return int(byte);
    }
  }
  return -1;
}

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_BYTEALPHABET_H
