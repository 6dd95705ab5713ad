// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Valid programs at random, for a small machine.

#ifndef UMBER_TEST_UNIT_NPU_RANDOMPROGRAM_H
#define UMBER_TEST_UNIT_NPU_RANDOMPROGRAM_H

#include "runtime/drivers/npu/Config.h"
#include "runtime/drivers/npu/isa/Instruction.h"
#include "test/Unit/NPU/RandomState.h"

#include <array>
#include <cstdint>
#include <vector>

namespace umber::npu {

/// What a program runs with.
struct RandomProgram {
  Program program;
  std::array<int64_t, kRegisters> registers = {};
  std::vector<uint8_t> scratchpad;
  /// By Region; Io is not written.
  std::array<std::vector<uint8_t>, 7> regions;
};

/// The machine that programs are made for: an array of cores with 16 KiB of
/// scratchpad. `seed` decides how its decoder stores 3 and 6 bits.
Config getSmallMachine(uint64_t seed);

/// The same for the same seed on every machine.
///
/// All instructions, with loops and registers in addresses, counts and strides.
/// Instructions run one after another by construction: each waits for a signal
/// of the one before, or there is a fence between them. With `overlaps`
/// operands overlap in ways that the Verifier refuses, and elements have types
/// that it does not like, but that the simulator still gives a meaning.
RandomProgram makeRandomProgram(uint64_t seed, const Config &config,
                                bool overlaps = false);

} // namespace umber::npu

#endif // UMBER_TEST_UNIT_NPU_RANDOMPROGRAM_H
