// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a package to a folder of PEFT's.

#ifndef UMBER_TOOLS_UMBER_ADAPTER_EXPORT_H
#define UMBER_TOOLS_UMBER_ADAPTER_EXPORT_H

#include <string>

namespace umber::tools {

/// Writes what a package has as an adapter to a new folder: an adapter's pairs,
/// or the corrections of a model's matrices, in the bases of the model's own
/// weights. Failures are ToolErrors that begin with a path.
void exportPeft(const std::string &package, const std::string &folder);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_ADAPTER_EXPORT_H
