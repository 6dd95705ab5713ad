// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an instruction reads and writes.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_ISA_ACCESS_H
#define UMBER_RUNTIME_DRIVERS_NPU_ISA_ACCESS_H

#include "runtime/drivers/npu/isa/Instruction.h"

#include <string>
#include <vector>

namespace umber::npu {

/// Of slots the number is the address.
enum class Memory : uint8_t { Scratchpad, Dram, KernelSlots, TableSlots };

/// Runs of `length` bytes: `rows`, `rowStride` apart, `planes` times. None of
/// the three is 0.
struct Access {
  Memory memory = Memory::Scratchpad;
  Region region = Region::Code; ///< of Dram
  bool isWrite = false;
  Register base = 0; ///< to be added to `begin`
  const char *operand = "";
  int64_t begin = 0;
  int64_t length = 0;
  int64_t rows = 1;
  int64_t rowStride = 0;
  int64_t planes = 1;
  int64_t planeStride = 0;

  /// Of all runs: the first byte, and that behind the last.
  int64_t first() const;
  int64_t end() const;
};

/// What the instruction accesses, in the order of its operands, reads before
/// writes; all of what it may, where that depends on data (a gather's rows).
/// Where a register is in a number's place, the number counts. Its fields must
/// be in their ranges.
std::vector<Access> getAccesses(const Instruction &instruction);

/// Whether two accesses have a byte in common, their bases left out. May say so
/// of planes that interleave without.
bool overlap(const Access &a, const Access &b);

/// `scratchpad`, `cache`, `kernel slots`, …
const char *getPlace(const Access &access);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_ISA_ACCESS_H
