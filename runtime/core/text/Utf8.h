// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// UTF-8 as the tokenizer meets it: any bytes at all.

#ifndef UMBER_RUNTIME_CORE_TEXT_UTF8_H
#define UMBER_RUNTIME_CORE_TEXT_UTF8_H

#include <cstddef>
#include <string>
#include <string_view>

namespace umber {

struct Utf8Step {
  enum Kind {
    /// One character, well formed (Unicode 15, table 3-7: no overlong forms,
    /// no surrogates, nothing above U+10FFFF).
    Valid,
    /// Bytes that no continuation can make well formed.
    Invalid,
    /// The text ends inside a sequence that is well formed so far.
    Incomplete,
  };
  Kind kind;
  /// Bytes taken, at least one. For the last two kinds it is the "maximal
  /// subpart" that a decoder replaces by one U+FFFD.
  size_t length;
};

/// Classifies the start of a text that must not be empty.
Utf8Step stepUtf8(std::string_view text);

/// Length of the longest prefix of the text that is well formed.
size_t validUtf8Prefix(std::string_view text);

/// Appends the code point, which must be below U+0800, in UTF-8.
void appendShortUtf8(unsigned codePoint, std::string &out);

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_UTF8_H
