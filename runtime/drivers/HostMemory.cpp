// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/HostMemory.h"

#include <sys/mman.h>
#include <utility>

using namespace umber;

Result<HostMemory> HostMemory::allocate(uint64_t bytes, const char *purpose) {
  HostMemory memory;
  if (bytes == 0) {
    return memory;
  }
  void *address =
      bytes > SIZE_MAX / 2
          ? MAP_FAILED
          : mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) {
    return Status(StatusCode::OutOfMemory, "cannot allocate " +
                                               std::to_string(bytes) +
                                               " bytes for " + purpose);
  }
  memory.bytes = static_cast<char *>(address);
  memory.length = bytes;
  return memory;
}

HostMemory &HostMemory::operator=(HostMemory &&other) noexcept {
  if (this != &other) {
    release();
    bytes = std::exchange(other.bytes, nullptr);
    length = std::exchange(other.length, 0);
  }
  return *this;
}

void HostMemory::release() {
  if (bytes) {
    munmap(bytes, length);
    bytes = nullptr;
    length = 0;
  }
}
