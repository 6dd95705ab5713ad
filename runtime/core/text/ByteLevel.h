// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GPT-2's printable byte alphabet: the 256 bytes written as 256 visible
// characters, which is how byte-level vocabularies store their tokens.

#ifndef UMBER_RUNTIME_CORE_TEXT_BYTELEVEL_H
#define UMBER_RUNTIME_CORE_TEXT_BYTELEVEL_H

#include <string>
#include <string_view>

namespace umber {

/// Appends the bytes, each as its character of the alphabet, in UTF-8.
void encodeByteLevel(std::string_view bytes, std::string &out);

/// Appends the bytes that the characters stand for. A character outside the
/// alphabet stands for its own UTF-8 bytes, which keeps foreign tokens legible.
void decodeByteLevel(std::string_view text, std::string &out);

} // namespace umber

#endif // UMBER_RUNTIME_CORE_TEXT_BYTELEVEL_H
