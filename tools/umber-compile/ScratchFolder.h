// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_COMPILE_SCRATCHFOLDER_H
#define UMBER_TOOLS_UMBER_COMPILE_SCRATCHFOLDER_H

#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace umber::compile {

/// The folder in which a compilation keeps the parameters it has finished, and
/// in which it finds them when it is started again. It stays when the process
/// is killed; of other files that somebody may have put there, none is removed.
class ScratchFolder {
public:
  /// Makes the folder, or takes over one that is there. Fails if another
  /// process works in it.
  static llvm::Expected<std::unique_ptr<ScratchFolder>>
  open(llvm::StringRef path);

  /// Removes the folder if it is empty.
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder &) = delete;
  ScratchFolder &operator=(const ScratchFolder &) = delete;

  /// Removes all derived parameters but those with these keys.
  llvm::Error removeAllBut(const llvm::StringSet<> &kept);

private:
  explicit ScratchFolder(llvm::StringRef path) : path(path) {}

  std::string path;
  int descriptor = -1; ///< holds the lock
};

} // namespace umber::compile

#endif // UMBER_TOOLS_UMBER_COMPILE_SCRATCHFOLDER_H
