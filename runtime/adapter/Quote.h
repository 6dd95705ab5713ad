// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_RUNTIME_ADAPTER_QUOTE_H
#define UMBER_RUNTIME_ADAPTER_QUOTE_H

#include <string>
#include <string_view>

namespace umber {

/// A string from a file in quotes, for messages: one line and not a long one,
/// whatever its bytes are.
inline std::string quote(std::string_view text) {
  constexpr size_t kMost = 100;
  std::string quoted = "'";
  for (char c : text.substr(0, kMost)) {
    quoted += c >= ' ' && c <= '~' ? c : '?';
  }
  return quoted + (text.size() > kMost ? "...'" : "'");
}

} // namespace umber

#endif // UMBER_RUNTIME_ADAPTER_QUOTE_H
