// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// 32 threads that go through a kernel together.

#ifndef UMBER_TEST_SOFTCUDA_WARP_H
#define UMBER_TEST_SOFTCUDA_WARP_H

#include "test/SoftCuda/Program.h"
#include "test/SoftCuda/SharedMemory.h"

#include <stdexcept>

namespace umber::softcuda {

class GlobalMemory;

/// What ends a launch: the driver API's error and what a developer wants to
/// know.
class Fault : public std::runtime_error {
public:
  Fault(int result, const std::string &what, int lane = -1)
      : std::runtime_error(what), result(result), lane(lane) {}
  const int result;
  const int lane; ///< of the warp, or -1
};

/// What the accesses of a launch at one site have touched, and the allocation
/// that they were last in.
struct TouchedSite {
  int64_t allocationBegin = 0, allocationEnd = 0;
  int64_t begin = INT64_MAX, end = INT64_MIN;
};

/// What the warps of a block have in common.
struct Block {
  const Kernel *kernel = nullptr;
  const std::byte *parameters = nullptr;
  const GlobalMemory *global = nullptr;
  TouchedSite *sites = nullptr;
  SharedMemory shared;
  uint32_t threads[3] = {1, 1, 1}, blocks[3] = {1, 1, 1}, index[3] = {0, 0, 0};
};

class Warp {
public:
  enum State { Running, AtBarrier, Done };

  /// Begins the block's warp of this number, with `registers` for its values.
  void begin(Block &block, unsigned number, std::byte *registers);
  /// Runs until it waits or ends.
  void run();

  /// Parts of lanes go to `target`, the others on; they meet again at
  /// `reconvergence`.
  void diverge(uint32_t taken, uint32_t target, uint32_t next,
               uint32_t reconvergence);
  /// At a place where lanes meet; false if others have to come first.
  bool join(uint32_t at);
  /// The active lanes end.
  void end(uint32_t lanes, uint32_t next);
  void setActive(uint32_t lanes) {
    active = lanes;
    activeMask = maskOf(lanes);
  }
  uint32_t indexOf(const Instruction &in) const {
    return uint32_t(&in - block->kernel->code.data());
  }
  /// Counts what could go on forever.
  void countJump();

  template <class T>
  Lanes<T> get(Slot slot) const {
    Lanes<T> lanes;
    __builtin_memcpy(&lanes, bases[slot & 1] + (slot & ~kConstantSlot),
                     sizeof lanes);
    return lanes;
  }
  /// Sets a register's active lanes.
  template <class T>
  void set(Slot slot, const Lanes<T> &lanes) {
    std::byte *to = registers + slot;
    if (__builtin_expect(active == kAllLanes, 1)) {
      __builtin_memcpy(to, &lanes, sizeof lanes);
      return;
    }
    auto mask = __builtin_convertvector(activeMask, MaskOf<T>);
    Lanes<T> merged = select<T>(mask, lanes, get<T>(slot));
    __builtin_memcpy(to, &merged, sizeof merged);
  }

  Block *block = nullptr;
  unsigned number = 0;
  State state = Done;
  uint32_t pc = 0;
  uint32_t barrier = 0; ///< that it waits at
  uint32_t active = 0, alive = 0;
  Mask activeMask;

private:
  /// Lanes that go on at `pc` and are to be met at `reconvergence`.
  struct Path {
    uint32_t pc, lanes, reconvergence;
  };
  void resume();

  std::byte *registers = nullptr;
  const std::byte *bases[2] = {nullptr, nullptr};
  uint32_t reconvergence = 0; ///< of the active lanes
  std::vector<Path> pending;
  uint64_t jumps = 0;
};

} // namespace umber::softcuda

#endif // UMBER_TEST_SOFTCUDA_WARP_H
