// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Moves weights from the small pages of a mapped file to large ones. A stream
// of weights comes to the end of a small page several times in a microsecond:
// there the core's prefetcher stops, and the next address must be translated.
//
// It is done a large page at a time and between tokens, so that the first token
// does not wait for it and memory is never needed twice.

#ifndef UMBER_RUNTIME_DRIVERS_CPU_LARGEPAGES_H
#define UMBER_RUNTIME_DRIVERS_CPU_LARGEPAGES_H

#include "runtime/package/MappedFile.h"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace umber::cpu {

/// The size of the large page that the system gives to who asks for one, in
/// bytes; 0 if it gives none or huge ones.
size_t largePageBytes();

/// Whether programs can get twice as many bytes and not make the system swap.
bool isMemoryPlentiful(uint64_t bytes);

/// Asks that memory that was not touched yet be in large pages where it covers
/// them.
void wishForLargePages(void *memory, size_t bytes);

/// What a range of a read-only private mapping consists of. Its bytes can be
/// read at any time, also while they are moved, and stay the same.
class LargePages {
public:
  /// What is moved of `range` is the part that is whole large pages.
  explicit LargePages(Bytes range);
  LargePages(const LargePages &) = delete;
  LargePages &operator=(const LargePages &) = delete;

  /// Moves a page that no other thread moves. False if there was none left or
  /// the system has no more: what is where it was is good as well.
  bool moveNext();

private:
  uint8_t *begin = nullptr;
  size_t count = 0, pageBytes = 0;
  std::atomic<size_t> next{0};
};

} // namespace umber::cpu

#endif // UMBER_RUNTIME_DRIVERS_CPU_LARGEPAGES_H
