// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_RUNTIME_PACKAGE_MAPPEDFILE_H
#define UMBER_RUNTIME_PACKAGE_MAPPEDFILE_H

#include "runtime/package/Status.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace umber {

/// Bytes that somebody else owns.
struct Bytes {
  const uint8_t *data = nullptr;
  size_t size = 0;
};

/// A regular file in memory, read-only. It must not be changed while it is
/// mapped; replacing it by renaming, as OutputFile does, is safe.
class MappedFile {
public:
  /// NotFound or IoError: `PATH: reason`.
  static Result<std::unique_ptr<MappedFile>> open(const std::string &path);
  ~MappedFile();
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;

  const std::string &path() const { return filePath; }
  Bytes bytes() const { return content; }

private:
  explicit MappedFile(const std::string &path) : filePath(path) {}

  std::string filePath;
  Bytes content;
};

} // namespace umber

#endif // UMBER_RUNTIME_PACKAGE_MAPPEDFILE_H
