// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// xxHash for the tokenizer's tables, inlined so that short keys cost a few
// instructions.

#ifndef UMBER_RUNTIME_CORE_TEXT_HASH_H
#define UMBER_RUNTIME_CORE_TEXT_HASH_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace umber {

inline uint64_t hashBytes(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

/// Slots for a table that stays at most half full: a power of two.
inline size_t tableSizeFor(size_t entries) {
  size_t slots = 16;
  while (slots < 2 * entries) {
    slots *= 2;
  }
  return slots;
}

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_HASH_H
