// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/package/MappedFile.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace umber {

namespace {

struct Descriptor {
  ~Descriptor() {
    if (number >= 0) {
      ::close(number);
    }
  }
  int number;
};

Status ioError(const std::string &path) {
  return Status(errno == ENOENT ? StatusCode::NotFound : StatusCode::IoError,
                path + ": " + std::strerror(errno));
}

} // namespace

Result<std::unique_ptr<MappedFile>> MappedFile::open(const std::string &path) {
  // Opening a named pipe must not wait for somebody to write to it.
  Descriptor descriptor{
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat status;
  if (descriptor.number < 0 || ::fstat(descriptor.number, &status) != 0) {
    return ioError(path);
  }
  if (!S_ISREG(status.st_mode)) {
    return Status(StatusCode::IoError, path + ": expected a regular file");
  }
  std::unique_ptr<MappedFile> file(new MappedFile(path));
  size_t size = size_t(status.st_size);
  if (size == 0) {
    return file; // An empty range cannot be mapped.
  }
  void *mapped =
      ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.number, 0);
  if (mapped == MAP_FAILED) {
    return ioError(path);
  }
  file->content = {static_cast<const uint8_t *>(mapped), size};
  return file;
}

MappedFile::~MappedFile() {
  if (content.data) {
    ::munmap(const_cast<uint8_t *>(content.data), content.size);
  }
}

} // namespace umber
