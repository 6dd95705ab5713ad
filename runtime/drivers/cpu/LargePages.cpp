// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/LargePages.h"

#include <cstring>
#include <fstream>
#include <string>
#include <sys/mman.h>

using namespace umber;
using namespace umber::cpu;

namespace {

uintptr_t alignTo(uintptr_t address, size_t bytes) {
  return (address + bytes - 1) / bytes * bytes;
}

#if defined(__linux__)
/// See transhuge.rst of Linux' documentation.
constexpr char kChoices[] = "/sys/kernel/mm/transparent_hugepage/enabled";
constexpr char kBytes[] = "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size";
/// Larger ones, where small pages are of 64 KiB, take too long to copy between
/// two tokens, and are needed less.
constexpr size_t kLargest = size_t(1) << 22;

/// An aligned page that will be a large one, or null.
void *allocate(size_t bytes) {
  void *mapped = mmap(nullptr, 2 * bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) {
    return nullptr;
  }
  auto first = reinterpret_cast<uintptr_t>(mapped);
  uintptr_t page = alignTo(first, bytes);
  if (page > first) {
    munmap(mapped, page - first);
  }
  munmap(reinterpret_cast<void *>(page + bytes), first + bytes - page);
  return reinterpret_cast<void *>(page);
}

/// Puts a copy of `page` in its place. Who reads it meanwhile waits for the
/// system to be done, as for any page that must be brought in.
bool replace(uint8_t *page, size_t bytes) {
  void *copy = allocate(bytes);
  if (!copy) {
    return false;
  }
  if (madvise(copy, bytes, MADV_HUGEPAGE) == 0) {
    std::memcpy(copy, page, bytes);
    if (mprotect(copy, bytes, PROT_READ) == 0 &&
        mremap(copy, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, page) !=
            MAP_FAILED) {
      return true;
    }
  }
  munmap(copy, bytes);
  return false;
}
#else
bool replace(uint8_t *, size_t) { return false; }
#endif

} // namespace

size_t umber::cpu::largePageBytes() {
#if defined(__linux__)
  static const size_t bytes = [] {
    // The choice in force is the one in brackets: always, madvise or never.
    std::ifstream file(kChoices);
    std::string choices;
    std::getline(file, choices);
    size_t bytes = 0;
    if (choices.find("[always]") != std::string::npos ||
        choices.find("[madvise]") != std::string::npos) {
      std::ifstream(kBytes) >> bytes;
    }
    return bytes <= kLargest ? bytes : 0;
  }();
  return bytes;
#else
  return 0;
#endif
}

bool umber::cpu::isMemoryPlentiful(uint64_t bytes) {
  std::ifstream lines("/proc/meminfo");
  for (std::string name, rest; lines >> name; std::getline(lines, rest)) {
    uint64_t kibibytes = 0;
    if (name == "MemAvailable:" && lines >> kibibytes) {
      return kibibytes / 2 >= bytes / 1024;
    }
  }
  return false;
}

void umber::cpu::wishForLargePages(void *memory, size_t bytes) {
#if defined(__linux__)
  if (bytes > 0) {
    // Who has none refuses, and small pages do as well.
    (void)madvise(memory, bytes, MADV_HUGEPAGE);
  }
#endif
}

LargePages::LargePages(Bytes range) : pageBytes(largePageBytes()) {
  if (pageBytes == 0) {
    return;
  }
  auto address = reinterpret_cast<uintptr_t>(range.data);
  uintptr_t first = alignTo(address, pageBytes), end = address + range.size;
  if (end > first) {
    count = (end - first) / pageBytes;
    begin = reinterpret_cast<uint8_t *>(first);
  }
}

bool LargePages::moveNext() {
  if (next.load(std::memory_order_relaxed) >= count) {
    return false;
  }
  size_t page = next++;
  if (page >= count) {
    return false;
  }
  if (!replace(begin + page * pageBytes, pageBytes)) {
    next = count;
    return false;
  }
  return true;
}
