// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/TokenFile.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MemoryBuffer.h"

namespace umber {

llvm::Expected<std::vector<int32_t>> readTokenFile(llvm::StringRef path,
                                                   int64_t vocab) {
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file) {
    return llvm::createStringError(path + ": " + file.getError().message());
  }
  llvm::StringRef bytes = (*file)->getBuffer();
  if (bytes.size() % sizeof(int32_t) != 0) {
    return llvm::createStringError(path +
                                   ": expected token ids of 4 bytes, "
                                   "found " +
                                   llvm::Twine(bytes.size()) + " bytes");
  }
  std::vector<int32_t> ids(bytes.size() / sizeof(int32_t));
  for (size_t i = 0; i < ids.size(); ++i) {
    ids[i] = llvm::support::endian::read32le(bytes.data() + 4 * i);
    if (ids[i] < 0 || ids[i] >= vocab) {
      return llvm::createStringError(
          path + ": expected token ids below " + llvm::Twine(vocab) +
          ", found " + llvm::Twine(ids[i]) + " at index " + llvm::Twine(i));
    }
  }
  return ids;
}

} // namespace umber
