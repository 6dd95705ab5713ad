// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A program as it is fetched: loops unrolled, registers' values filled in.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_ISA_EXPANDER_H
#define UMBER_RUNTIME_DRIVERS_NPU_ISA_EXPANDER_H

#include "runtime/drivers/npu/isa/Finding.h"

#include <array>
#include <string>

namespace umber::npu {

using Registers = std::array<int64_t, kRegisters>;

/// Walks through a program that need not be verified. Use:
///
///   Expander expander(program, registers);
///   while (expander.next()) { … expander.current() … }
///   … expander.status() …
class Expander {
public:
  /// `registers` are what the host sets; `program` outlives this. `most`: how
  /// many instructions are fetched before that is an error.
  Expander(const Program &program, const Registers &registers,
           uint64_t most = uint64_t(1) << 26);

  /// Fetches the next instruction, those of the system queue included, which
  /// have then had their effect on registers and loops. False after a Stop, and
  /// at an error, of which status() then tells: `instruction N (NAME): …` where
  /// a loop has no end or no start, nests too deep, or there is no Stop; where
  /// a register or an address, a stride or a number is out of its range or not
  /// a multiple of the granule.
  bool next();

  /// What was fetched, with registers' values added or put in: every register
  /// of it is 0. Those of the system queue are as they are in the program.
  const Instruction &current() const { return instruction; }
  /// Its number in the program.
  uint32_t index() const { return currentIndex; }
  /// How many were fetched before it.
  uint64_t order() const { return fetched - 1; }
  /// After it was fetched.
  const Registers &registers() const { return values; }

  /// `instruction N (NAME): …`.
  Status status() const { return failure.getStatus(program); }
  const Finding &finding() const { return failure; }

private:
  struct OpenLoop {
    uint32_t index;
    uint32_t remaining;
    Registers before;
  };

  bool fail(const std::string &message);
  bool checkRegister(Register number, bool isWritten);
  bool findEnds();
  bool run(const SetRegister &set);
  bool run(const AddRegister &add);
  bool run(const Loop &loop);
  bool runEnd();
  bool resolve();

  const Program &program;
  Registers values;
  uint64_t most;
  /// Of each Loop, where its EndLoop is; of others 0.
  std::vector<uint32_t> ends;
  std::vector<OpenLoop> loops;
  Instruction instruction;
  uint64_t fetched = 0;
  uint32_t currentIndex = 0;
  uint32_t nextIndex = 0;
  bool isStopped = false;
  Finding failure;
};

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_ISA_EXPANDER_H
