// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block's shared memory. It is watched: what one warp writes and another
// reads or writes with no barrier in between is an error, as is an access
// beyond its end.

#ifndef UMBER_TEST_SOFTCUDA_SHAREDMEMORY_H
#define UMBER_TEST_SOFTCUDA_SHAREDMEMORY_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace umber::softcuda {

class SharedMemory {
public:
  /// For another block: undefined memory, of bytes that floats have as NaN.
  /// Watched in units of `granule` bytes, of which every access has a multiple.
  void begin(size_t bytes, unsigned granule);
  /// All warps have passed a barrier.
  void passBarrier();

  size_t size() const { return memory.size(); }
  std::byte *at(uint64_t address) { return memory.data() + address; }

  /// Whether a warp may read or write here now: false if another has touched
  /// it since the last barrier.
  bool read(uint64_t address, unsigned bytes, unsigned warp) {
    Cell *first = cells.data() + (address >> shift);
    uint32_t now = epoch << kWarpBits, mine = now | warp, isBad = 0;
    for (Cell *cell = first, *last = lastOf(first, bytes); cell <= last;
         ++cell) {
      isBad |= uint32_t(cell->written >= now) & uint32_t(cell->written != mine);
      uint32_t shared = cell->read == mine ? mine : now | kManyWarps;
      cell->read = cell->read < now ? mine : shared;
    }
    return !isBad;
  }
  bool write(uint64_t address, unsigned bytes, unsigned warp) {
    Cell *first = cells.data() + (address >> shift);
    Cell *last = lastOf(first, bytes);
    uint32_t now = epoch << kWarpBits, mine = now | warp, isBad = 0;
    for (const Cell *cell = first; cell <= last; ++cell) {
      isBad |= uint32_t(cell->written >= now) & uint32_t(cell->written != mine);
      isBad |= uint32_t(cell->read >= now) & uint32_t(cell->read != mine);
    }
    for (Cell *cell = first; cell <= last && !isBad; ++cell) {
      cell->written = mine;
    }
    return !isBad;
  }

private:
  // A number of a warp, or this for some: 32 warps are the most of a block.
  static constexpr unsigned kWarpBits = 6, kManyWarps = (1 << kWarpBits) - 1;
  /// The barrier after which this was last written and read, and by what warp.
  struct Cell {
    uint32_t written = 0, read = 0;
  };
  Cell *lastOf(Cell *first, unsigned bytes) const {
    return first + ((bytes - 1) >> shift);
  }

  std::vector<std::byte> memory;
  std::vector<Cell> cells;
  unsigned shift = 2;
  uint32_t epoch = 0;
};

} // namespace umber::softcuda

#endif // UMBER_TEST_SOFTCUDA_SHAREDMEMORY_H
