// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From any form of an adapter to a package.

#ifndef UMBER_TOOLS_UMBER_ADAPTER_CONVERT_H
#define UMBER_TOOLS_UMBER_ADAPTER_CONVERT_H

#include <optional>
#include <string>

namespace umber::tools {

struct ConvertOptions {
  std::string input, output;
  std::string base; ///< the model's package; empty: not known
  std::optional<std::string> name;
};

/// Failures are ToolErrors that begin with the path.
void convert(const ConvertOptions &options);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_ADAPTER_CONVERT_H
