// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A file that appears under its name when it is complete, and not before.

#ifndef UMBER_RUNTIME_PACKAGE_OUTPUTFILE_H
#define UMBER_RUNTIME_PACKAGE_OUTPUTFILE_H

#include "runtime/package/Status.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace umber {

class OutputFile {
public:
  /// Starts a temporary file beside `path`. This and every other failure is an
  /// IoError: `PATH: what failed: the system's reason`.
  static Result<std::unique_ptr<OutputFile>> create(const std::string &path);
  /// Removes the temporary file unless commit() succeeded.
  ~OutputFile();
  OutputFile(const OutputFile &) = delete;

  /// The name under which the temporary file `name` was to appear; empty if it
  /// is no temporary file's. A process that is killed leaves its own behind.
  static std::string getFinalName(const std::string &name);

  OutputFile &operator=(const OutputFile &) = delete;

  Status append(const void *data, size_t size);
  /// Writes over bytes that are there already.
  Status overwrite(uint64_t offset, const void *data, size_t size);
  /// Gives the file its name, in the place of any that had it.
  Status commit();

  /// Bytes appended so far.
  uint64_t size() const { return position; }

private:
  explicit OutputFile(const std::string &path) : path(path) {}
  Status ioError(const char *what) const;

  std::string path, temporary;
  int descriptor = -1;
  uint64_t position = 0;
};

} // namespace umber

#endif // UMBER_RUNTIME_PACKAGE_OUTPUTFILE_H
