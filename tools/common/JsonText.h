// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_COMMON_JSONTEXT_H
#define UMBER_TOOLS_COMMON_JSONTEXT_H

#include <nlohmann/json.hpp>
#include <string>

namespace umber::tools {

/// Bytes that are no text, as a hostile file may have them, become U+FFFD.
inline std::string toText(const nlohmann::ordered_json &json, int indent = -1) {
  return json.dump(indent, ' ', false,
                   nlohmann::json::error_handler_t::replace);
}

} // namespace umber::tools

#endif // UMBER_TOOLS_COMMON_JSONTEXT_H
