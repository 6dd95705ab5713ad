// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_RUNTIME_CORE_TEXT_UTF8_H
#define UMBER_RUNTIME_CORE_TEXT_UTF8_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace umber {

/// The length of the character that `text` begins with, or 0 if it does not
/// begin with valid UTF-8 (RFC 3629: shortest form, no surrogates, at most
/// U+10FFFF).
size_t utf8Length(std::string_view text);

/// The character that valid UTF-8 begins with, of `length` bytes.
uint32_t utf8Decode(std::string_view text, size_t length);

void utf8Append(std::string &text, uint32_t character);

/// How many bytes at the end of `text` may be the beginning of a character
/// whose rest has not come yet: 0 to 3.
size_t utf8IncompleteTail(std::string_view text);

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_UTF8_H
