// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Zeroed memory straight from the operating system, and how much of it.

#ifndef UMBER_RUNTIME_DRIVERS_HOSTMEMORY_H
#define UMBER_RUNTIME_DRIVERS_HOSTMEMORY_H

#include "runtime/package/Status.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>

namespace umber {

/// The product of sizes; nothing where 64 bits do not hold it.
inline std::optional<uint64_t>
multiplySizes(std::initializer_list<uint64_t> sizes) {
  uint64_t product = 1;
  for (uint64_t size : sizes) {
    if (__builtin_mul_overflow(product, size, &product)) {
      return std::nullopt;
    }
  }
  return product;
}

/// Zeroed, page-aligned bytes that take physical memory only where they are
/// touched, so that room for a long context costs nothing until it is used.
class HostMemory {
public:
  HostMemory() = default;
  /// OutOfMemory if the address space or the system's policy refuses; `purpose`
  /// goes into the message.
  static Result<HostMemory> allocate(uint64_t bytes, const char *purpose);
  HostMemory(HostMemory &&other) noexcept {
    *this = static_cast<HostMemory &&>(other);
  }
  HostMemory &operator=(HostMemory &&other) noexcept;
  ~HostMemory() { release(); }

  char *data() const { return bytes; }
  size_t size() const { return length; }

private:
  void release();

  char *bytes = nullptr;
  size_t length = 0;
};

} // namespace umber

#endif // UMBER_RUNTIME_DRIVERS_HOSTMEMORY_H
