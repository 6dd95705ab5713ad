// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_REPORT_JSON_H
#define UMBER_TOOLS_UMBER_REPORT_JSON_H

#include "tools/common/JsonText.h"

#include <cmath>

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

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_REPORT_JSON_H
