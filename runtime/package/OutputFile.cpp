// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/package/OutputFile.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <random>
#include <sys/stat.h>
#include <unistd.h>

namespace umber {

static const char kTemporarySuffix[] = ".tmp-";

std::string OutputFile::getFinalName(const std::string &name) {
  size_t suffix = name.rfind(kTemporarySuffix);
  if (suffix == std::string::npos) {
    return "";
  }
  std::string number = name.substr(suffix + sizeof kTemporarySuffix - 1);
  bool isNumber = !number.empty() &&
                  number.find_first_not_of("0123456789") == std::string::npos;
  return isNumber ? name.substr(0, suffix) : "";
}

Status OutputFile::ioError(const char *what) const {
  return Status(StatusCode::IoError,
                path + ": " + what + ": " + std::strerror(errno));
}

Result<std::unique_ptr<OutputFile>>
OutputFile::create(const std::string &path) {
  std::unique_ptr<OutputFile> file(new OutputFile(path));
  // Renaming would put a file in the place of a device such as /dev/null.
  struct stat status;
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return Status(
        StatusCode::IoError,
        path + ": expected a regular file or none, found " +
            (S_ISDIR(status.st_mode) ? "a directory" : "a special file"));
  }
  // Not mkstemp, whose files nobody else may read.
  std::random_device random;
  do {
    file->temporary = path + kTemporarySuffix + std::to_string(random());
    file->descriptor = ::open(file->temporary.c_str(),
                              O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (file->descriptor < 0 && errno == EEXIST);
  if (file->descriptor < 0) {
    file->temporary.clear();
    return file->ioError("cannot create a file there");
  }
  return file;
}

OutputFile::~OutputFile() {
  if (descriptor >= 0) {
    ::close(descriptor);
  }
  if (!temporary.empty()) {
    ::unlink(temporary.c_str());
  }
}

Status OutputFile::append(const void *data, size_t size) {
  Status status = overwrite(position, data, size);
  if (status.ok()) {
    position += size;
  }
  return status;
}

Status OutputFile::overwrite(uint64_t offset, const void *data, size_t size) {
  const char *bytes = static_cast<const char *>(data);
  while (size > 0) {
    ssize_t written = ::pwrite(descriptor, bytes, size, off_t(offset));
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      return ioError("cannot write");
    }
    bytes += written;
    size -= size_t(written);
    offset += uint64_t(written);
  }
  return Status();
}

Status OutputFile::commit() {
  // What a full disk has kept back shows here at the latest.
  int closed = ::close(descriptor);
  descriptor = -1;
  if (closed != 0) {
    return ioError("cannot write");
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    return ioError("cannot give the finished file its name");
  }
  temporary.clear();
  return Status();
}

} // namespace umber
