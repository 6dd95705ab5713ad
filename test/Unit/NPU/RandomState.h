// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is known of a program while it is made: numbers at random, and the
// range of each register's value.

#ifndef UMBER_TEST_UNIT_NPU_RANDOMSTATE_H
#define UMBER_TEST_UNIT_NPU_RANDOMSTATE_H

#include "runtime/drivers/npu/isa/Instruction.h"

#include <cassert>
#include <cstdint>
#include <random>
#include <vector>

namespace umber::npu {

class RandomNumbers {
public:
  explicit RandomNumbers(uint64_t seed) : engine(seed) {}

  /// least to most, both included. Of std's distributions only their engines
  /// are the same everywhere.
  int64_t get(int64_t least, int64_t most) {
    assert(least <= most);
    return least + int64_t(engine() % uint64_t(most - least + 1));
  }
  /// Once in `of` times.
  bool once(int64_t of) { return get(1, of) == 1; }
  template <typename T>
  T pick(std::initializer_list<T> choices) {
    return choices.begin()[get(0, int64_t(choices.size()) - 1)];
  }
  /// Around 1 in magnitude, rarely much larger or smaller, 0 or not finite.
  float getFloat();
  float getFinite();

private:
  std::mt19937_64 engine;
};

/// A register whose value is known to be within a range where it is used.
struct KnownRegister {
  Register number = 0;
  int64_t least = 0;
  int64_t most = 0;
  /// Every value that it has is a multiple of this.
  int64_t multiple = 1;
  /// Loops that were open when it was set.
  unsigned depth = 0;
};

} // namespace umber::npu

#endif // UMBER_TEST_UNIT_NPU_RANDOMSTATE_H
