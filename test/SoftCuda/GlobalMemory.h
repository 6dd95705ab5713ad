// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The device's memory. Addresses are those of the host; between two allocations
// are pages that nothing can touch.

#ifndef UMBER_TEST_SOFTCUDA_GLOBALMEMORY_H
#define UMBER_TEST_SOFTCUDA_GLOBALMEMORY_H

#include <cstddef>
#include <cstdint>
#include <map>

namespace umber::softcuda {

class GlobalMemory {
public:
  static constexpr uint64_t kTotalBytes = uint64_t(8) << 30;

  GlobalMemory() = default;
  ~GlobalMemory() { clear(); }
  GlobalMemory(const GlobalMemory &) = delete;
  GlobalMemory &operator=(const GlobalMemory &) = delete;

  /// Undefined memory, of bytes that floats have as NaN; 0 if there is no room.
  uint64_t allocate(uint64_t bytes);
  /// False if nothing was allocated there.
  bool free(uint64_t address);
  /// Frees all.
  void clear();

  struct Allocation {
    uint64_t begin, end;
  };
  /// The allocation that the address is in; an empty one if in none.
  Allocation find(uint64_t address) const;
  /// Whether all of these bytes are in one.
  bool contains(uint64_t address, uint64_t bytes) const;

private:
  std::map<uint64_t, uint64_t> allocations; ///< sizes by their begin
  uint64_t usedBytes = 0;
};

} // namespace umber::softcuda

#endif // UMBER_TEST_SOFTCUDA_GLOBALMEMORY_H
