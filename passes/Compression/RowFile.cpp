// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/RowFile.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/SmallString.h"
#include <cerrno>
#include <cstring>
#include <unistd.h>

using namespace mlir;

namespace umber {

FailureOr<RowFile> RowFile::create(Operation *op, StringRef folder,
                                   int64_t columns) {
  llvm::SmallString<128> path;
  int descriptor = -1;
  std::error_code error = llvm::sys::fs::create_directories(folder);
  if (!error) {
    error = llvm::sys::fs::createUniqueFile(folder + "/rows-%%%%%%%%",
                                            descriptor, path);
  }
  if (!error) {
    error = llvm::sys::fs::remove(path);
  }
  if (error) {
    return op->emitError("cannot make a scratch file in '")
           << folder << "': " << error.message();
  }
  return RowFile(descriptor, columns);
}

RowFile::~RowFile() {
  if (descriptor >= 0) {
    ::close(descriptor);
  }
}

/// Moves all of `bytes` bytes by calls of `transfer(done)`, which returns how
/// many it has moved.
template <typename Transfer>
static LogicalResult transferAll(Operation *op, StringRef what, int64_t bytes,
                                 const Transfer &transfer) {
  for (int64_t done = 0; done < bytes;) {
    ssize_t count = transfer(done);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return op->emitError("cannot ")
             << what << " a scratch file: "
             << (count < 0 ? std::strerror(errno) : "it ends too early");
    }
    done += count;
  }
  return success();
}

LogicalResult RowFile::write(Operation *op, int64_t firstRow,
                             ArrayRef<float> rows) {
  int64_t bytes = rows.size() * sizeof(float);
  int64_t offset = firstRow * columns * int64_t(sizeof(float));
  const char *data = reinterpret_cast<const char *>(rows.data());
  return transferAll(op, "write", bytes, [&](int64_t done) {
    return ::pwrite(descriptor, data + done, bytes - done, offset + done);
  });
}

LogicalResult RowFile::read(Operation *op, int64_t firstRow,
                            MutableArrayRef<float> rows) const {
  int64_t bytes = rows.size() * sizeof(float);
  int64_t offset = firstRow * columns * int64_t(sizeof(float));
  char *data = reinterpret_cast<char *>(rows.data());
  return transferAll(op, "read", bytes, [&](int64_t done) {
    return ::pread(descriptor, data + done, bytes - done, offset + done);
  });
}

} // namespace umber
