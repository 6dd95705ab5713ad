// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/core/SessionFile.h"

#include "runtime/drivers/HostMemory.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

using namespace umber;

namespace {

class File {
public:
  explicit File(int descriptor) : descriptor(descriptor) {}
  ~File() {
    if (descriptor >= 0) {
      ::close(descriptor);
    }
  }
  File(const File &) = delete;
  File &operator=(const File &) = delete;

  bool isOpen() const { return descriptor >= 0; }
  int get() const { return descriptor; }
  /// What the system still had to say about earlier writes.
  bool close() { return ::close(std::exchange(descriptor, -1)) == 0; }

private:
  int descriptor;
};

Status systemError(const std::string &path) {
  StatusCode code =
      errno == ENOENT ? StatusCode::NotFound : StatusCode::IoError;
  return Status(code, path + ": " + std::strerror(errno));
}

/// Calls read or write until `size` bytes are done; false on an error or, with
/// errno 0, at the end of the file.
template <typename Transfer>
bool transferAll(Transfer transfer, int file, char *bytes, uint64_t size) {
  while (size > 0) {
    errno = 0;
    ssize_t done = transfer(file, bytes, size);
    if (done < 0 && errno == EINTR) {
      continue;
    }
    if (done <= 0) {
      return false;
    }
    bytes += done;
    size -= static_cast<uint64_t>(done);
  }
  return true;
}

Status withPath(const std::string &path, const Status &status) {
  return Status(status.code(), path + ": " + status.message());
}

} // namespace

Status umber::saveSession(const Session &session, const std::string &path) {
  // Renaming would put a file in the place of a device such as /dev/null.
  struct stat info;
  if (stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return Status(StatusCode::IoError,
                  path + ": expected a regular file or none");
  }
  uint64_t size = session.stateSize(session.position());
  Result<HostMemory> state = HostMemory::allocate(size, "the session's state");
  if (!state.ok()) {
    return withPath(path, state.status());
  }
  if (Status status = session.writeState(state->data(), size); !status.ok()) {
    return withPath(path, status);
  }
  std::string temporary = path + ".XXXXXX";
  File file(mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.isOpen()) {
    Status failure = systemError(path);
    return Status(StatusCode::IoError, failure.message());
  }
  // A full disk shows when the data reaches it.
  if (transferAll(::write, file.get(), state->data(), size) &&
      fsync(file.get()) == 0 && file.close() &&
      std::rename(temporary.c_str(), path.c_str()) == 0) {
    return {};
  }
  Status failure(StatusCode::IoError, path + ": " + std::strerror(errno));
  unlink(temporary.c_str());
  return failure;
}

Status umber::restoreSession(Session &session, const std::string &path) {
  File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info;
  if (!file.isOpen() || fstat(file.get(), &info) != 0) {
    return systemError(path);
  }
  if (!S_ISREG(info.st_mode)) {
    return Status(StatusCode::IoError, path + ": expected a regular file");
  }
  // Not much more than the largest state that this session could take: a file
  // of another kind may be huge, and is refused by its header or its length.
  uint64_t size = std::min<uint64_t>(info.st_size,
                                     session.stateSize(session.context()) + 1);
  Result<HostMemory> state = HostMemory::allocate(size, "the session's state");
  if (!state.ok()) {
    return withPath(path, state.status());
  }
  if (!transferAll(::read, file.get(), state->data(), size)) {
    return errno != 0 ? systemError(path)
                      : Status(StatusCode::CorruptFile,
                               path + ": ended while it was read");
  }
  Status status = session.readState(state->data(), size);
  return status.ok() ? status : withPath(path, status);
}
