// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How long a compiled model's steps take, and what they move.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_SIM_STEPTIMING_H
#define UMBER_RUNTIME_DRIVERS_NPU_SIM_STEPTIMING_H

#include "runtime/drivers/npu/Engine.h"
#include "runtime/drivers/npu/isa/Instruction.h"
#include "runtime/package/Status.h"

#include <string>
#include <vector>

namespace umber::npu {

/// A program with what reports need of it.
struct StepProgram {
  std::string name; ///< `decode` or `prefill`
  int64_t rows = 1; ///< of a step
  Program program;
  /// Names of what the program's marks stand for.
  std::vector<std::string> kernels;
  uint32_t scratchpadBytes = 0;
  uint32_t liveBytes = 0;
  /// Of the regions that only the step itself uses, and where its logits are in
  /// Region::Io: [outputs][vocab] F32. Its tokens, I32, are at 0.
  uint64_t activationBytes = 0;
  uint64_t ioBytes = 0;
  uint64_t logits = 0;
};

struct KernelTiming {
  std::string name;
  /// From the end of the kernels before to the end of this one.
  double seconds = 0;
  uint64_t dramBytes = 0;
  uint64_t macs = 0;
  double joules = 0;
  size_t commands = 0;
};

struct PhaseTiming {
  int64_t tokens = 0;
  double seconds = 0;
  Energy energy;
  uint64_t dramBytes = 0;
  /// Part of the time in which nothing moves from or to DRAM, launches left
  /// out.
  double dramIdle = 0;
  /// By what was the limit, as in ProgramTiming, in seconds.
  std::array<double, kBounds> busy = {};
  size_t commands = 0;
  std::vector<KernelTiming> kernels;
};

/// A step that decodes one token at `position`.
Result<PhaseTiming> timeDecode(const Config &config, const StepProgram &step,
                               int64_t position, int64_t capacity);

/// As many steps as `tokens` of a prompt need, of which the last gives logits
/// of one row.
Result<PhaseTiming> timePrefill(const Config &config, const StepProgram &step,
                                int64_t tokens, int64_t capacity);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_SIM_STEPTIMING_H
