// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A session's state as a file.

#ifndef UMBER_RUNTIME_CORE_SESSIONFILE_H
#define UMBER_RUNTIME_CORE_SESSIONFILE_H

#include "runtime/core/Session.h"

#include <string>

namespace umber {

/// Writes a temporary file beside `path` and renames it when it is complete.
/// Messages start with the path, here and below.
Status saveSession(const Session &session, const std::string &path);

/// Reads what saveSession wrote. The session is untouched if that fails.
Status restoreSession(Session &session, const std::string &path);

} // namespace umber

#endif // UMBER_RUNTIME_CORE_SESSIONFILE_H
