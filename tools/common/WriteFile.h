// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writing what a tool of the compiler makes.

#ifndef UMBER_TOOLS_COMMON_WRITEFILE_H
#define UMBER_TOOLS_COMMON_WRITEFILE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

namespace umber {

/// Writes a file that gets its name when it is complete, so that a failure
/// leaves what was there before. `-` is standard output; a device is written to
/// as it is. Errors are `PATH: what failed: the system's reason`.
///
/// Not llvm::writeToOutput, which names a file that a full disk has cut short.
llvm::Error
writeFile(llvm::StringRef path,
          llvm::function_ref<void(llvm::raw_ostream &stream)> write);

/// Fails as writeFile would, if no file can be begun at `path`: to be known
/// before the work of making what goes into it.
llvm::Error checkWritable(llvm::StringRef path);

/// Writes out what standard output has buffered. Without it a full disk is a
/// fatal error of LLVM's at exit.
llvm::Error flushStandardOutput();

} // namespace umber

#endif // UMBER_TOOLS_COMMON_WRITEFILE_H
