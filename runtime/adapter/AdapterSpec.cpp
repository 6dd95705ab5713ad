// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/adapter/AdapterSpec.h"

#include <charconv>
#include <cmath>
#include <filesystem>
#include <system_error>

namespace umber {

Result<AdapterSpec> AdapterSpec::parse(const std::string &text) {
  AdapterSpec spec;
  spec.path = text;
  size_t colon = text.rfind(':');
  std::error_code error;
  if (colon == std::string::npos || std::filesystem::exists(text, error)) {
    return spec;
  }
  spec.path = text.substr(0, colon);
  const char *first = text.data() + colon + 1,
             *last = text.data() + text.size();
  auto [end, code] = std::from_chars(first, last, spec.scale);
  if (code != std::errc() || end != last || !std::isfinite(spec.scale)) {
    return Status(StatusCode::InvalidArgument,
                  "expected PATH or PATH:SCALE, found '" + text + "'");
  }
  return spec;
}

} // namespace umber
