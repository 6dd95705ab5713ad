// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files to write, whose failures are ToolErrors that begin with the path.

#ifndef UMBER_TOOLS_COMMON_CREATEFILE_H
#define UMBER_TOOLS_COMMON_CREATEFILE_H

#include "runtime/package/OutputFile.h"
#include "tools/common/Handles.h"

#include <memory>
#include <string>

namespace umber::tools {

inline void check(const Status &status) {
  if (!status.ok()) {
    throw ToolError(status.message());
  }
}

inline std::unique_ptr<OutputFile> createFile(const std::string &path) {
  auto created = OutputFile::create(path);
  check(created.status());
  return std::move(*created);
}

} // namespace umber::tools

#endif // UMBER_TOOLS_COMMON_CREATEFILE_H
