// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel as it is run: instructions that are functions over registers.

#ifndef UMBER_TEST_SOFTCUDA_PROGRAM_H
#define UMBER_TEST_SOFTCUDA_PROGRAM_H

#include "test/SoftCuda/Lanes.h"

#include <cstddef>
#include <string>
#include <vector>

namespace umber::softcuda {

struct Instruction;
class Warp;

/// Does an instruction for the warp's active lanes. False if control does not
/// go on to the next one: the warp says where it does.
using Run = bool (*)(Warp &, const Instruction &);

/// Where an operand's lanes are: an offset in bytes in the warp's registers, or
/// in the kernel's constants if the lowest bit is set.
using Slot = uint32_t;
constexpr uint32_t kConstantSlot = 1;

struct Instruction {
  Run run = nullptr;
  Run guarded = nullptr;      ///< what `run` does for lanes of the guard
  const Slot *more = nullptr; ///< of vectors and what has many operands
  int64_t offset = 0;         ///< of an address, in bytes
  Slot to = 0, a = 0, b = 0, c = 0;
  Slot guard = 0;                         ///< a predicate
  uint32_t target = 0, reconvergence = 0; ///< of branches
  uint32_t site = 0; ///< of an access to global memory: its number
  uint8_t mode = 0;  ///< what an opcode has no functions of its own for
  bool isGuardNegated = false;
  bool isAddressNarrow = false; ///< of 32 bits
};

enum class Special : uint8_t {
  ThreadX,
  ThreadY,
  ThreadZ,
  ThreadsX,
  ThreadsY,
  ThreadsZ,
  BlockX,
  BlockY,
  BlockZ,
  BlocksX,
  BlocksY,
  BlocksZ,
  Lane,
  Warp,
};

struct ParameterPlace {
  size_t offset, bytes;
};

/// An access to global memory, for errors and the check of read-only loads.
struct Site {
  unsigned line;
  bool isStore;
  bool isReadOnly; ///< ld.global.nc
};

struct Kernel {
  std::string name;
  std::vector<ParameterPlace> parameters;
  size_t parameterBytes = 0;
  uint32_t maxThreads[3] = {0, 0, 0}, requiredThreads[3] = {0, 0, 0};
  size_t sharedBytes = 0; ///< of the variables
  bool hasDynamicShared = false;
  unsigned sharedGranule = 4; ///< bytes of the smallest access to it

  std::vector<Instruction> code;
  std::vector<unsigned> lines;          ///< of each instruction
  std::vector<std::vector<Slot>> slots; ///< what Instruction::more points to
  std::vector<Site> sites;
  size_t registerBytes = 0;
  std::vector<std::byte> constants;
  struct SpecialRegister {
    Special special;
    Slot slot;
  };
  std::vector<SpecialRegister> specials;
};

} // namespace umber::softcuda

#endif // UMBER_TEST_SOFTCUDA_PROGRAM_H
