// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-compile/ScratchFolder.h"
#include "dialects/Umber/Parameters/DerivedStore.h"
#include "llvm/Support/FileSystem.h"
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

using namespace llvm;

namespace umber::compile {

Expected<std::unique_ptr<ScratchFolder>> ScratchFolder::open(StringRef path) {
  auto fail = [&](const Twine &what, std::error_code code) {
    return createStringError(code, path + ": " + what + ": " + code.message());
  };
  if (std::error_code code = sys::fs::create_directory(path)) {
    return fail("cannot make a folder for what is finished", code);
  }
  std::unique_ptr<ScratchFolder> folder(new ScratchFolder(path));
  folder->descriptor =
      ::open(folder->path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder->descriptor < 0) {
    return fail("cannot use it as a folder for what is finished",
                std::error_code(errno, std::generic_category()));
  }
  // A file system that knows no locks is no reason to refuse.
  if (::flock(folder->descriptor, LOCK_EX | LOCK_NB) != 0 &&
      errno == EWOULDBLOCK) {
    return createStringError(inconvertibleErrorCode(),
                             path + ": expected no other umber-compile to work "
                                    "in this folder, found one");
  }
  return folder;
}

ScratchFolder::~ScratchFolder() {
  if (descriptor >= 0) {
    ::rmdir(path.c_str());
    ::close(descriptor);
  }
}

Error ScratchFolder::removeAllBut(const StringSet<> &kept) {
  return DerivedStore(path).removeAllBut(kept);
}

} // namespace umber::compile
