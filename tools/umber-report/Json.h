// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_REPORT_JSON_H
#define UMBER_TOOLS_UMBER_REPORT_JSON_H

#include <cmath>
#include <nlohmann/json.hpp>

namespace umber::tools {

using Json = nlohmann::ordered_json;

/// To so many significant digits, so that documents are half as long.
inline double shorten(double value, int digits = 7) {
  if (value == 0 || !std::isfinite(value)) {
    return 0;
  }
  double scale =
      std::pow(10.0, digits - 1 - std::floor(std::log10(std::abs(value))));
  return std::round(value * scale) / scale;
}

/// Bytes that are no text, as a hostile file may have them, become U+FFFD.
inline std::string toText(const Json &json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_REPORT_JSON_H
