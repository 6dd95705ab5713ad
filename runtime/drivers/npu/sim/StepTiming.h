// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How long a compiled model's steps take, and what they move.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_SIM_STEPTIMING_H
#define UMBER_RUNTIME_DRIVERS_NPU_SIM_STEPTIMING_H

#include "runtime/drivers/npu/Engine.h"
#include "runtime/drivers/npu/isa/Instruction.h"
#include "runtime/package/Status.h"

#include <functional>
#include <string>
#include <vector>

namespace umber::npu {

/// A part of a program, for reports.
struct KernelInfo {
  std::string name;
  /// `embed`, `qkv` (what attention is made of, with the cache's append),
  /// `attention` (with the product of its result), `ffn`, `head` or `other`.
  std::string kind;
  int64_t layer = -1; ///< -1: of none
};

/// A program with what reports need of it.
struct StepProgram {
  std::string name; ///< `decode` or `prefill`
  int64_t rows = 1; ///< of a step
  Program program;
  /// Of which an instruction's operationId is the number, from 1 on.
  std::vector<KernelInfo> kernels;
  uint32_t scratchpadBytes = 0;
  uint32_t liveBytes = 0;
  /// Of the regions that only the step itself uses, and where its logits are in
  /// Region::Io: [outputs][vocab] F32. Its tokens, I32, are at 0.
  uint64_t activationBytes = 0;
  uint64_t ioBytes = 0;
  uint64_t logits = 0;
};

/// What commands do, added up.
struct WorkTotals {
  uint64_t macsF16 = 0;
  uint64_t macsI8 = 0;
  uint64_t vectorElements = 0;
  uint64_t decodedWeights = 0;
  /// Of the model's matrices.
  uint64_t streamedWeights = 0;
  /// By region, with what fills up bursts.
  std::array<uint64_t, kRegions> dramBytes = {};
  uint64_t scratchpadBytes = 0;
  /// What each resource needs for that, if nothing else is in its way; of Sync,
  /// 0.
  std::array<double, kBounds> needed = {};
  /// What the array needs for the products at its peak.
  double peakSeconds = 0;
  Energy energy;
  size_t commands = 0;

  uint64_t allDramBytes() const;
  uint64_t macs() const { return macsF16 + macsI8; }
  /// Of the model's weights as they cross DRAM, palettes and scales included;
  /// 0 if there are none.
  double bitsPerWeight() const;
};

/// Of all of a phase's steps.
struct KernelTiming {
  KernelInfo info;
  /// From when its first command starts to when its last one is done, in
  /// seconds from the phase's start. Its weights may come before other kernels
  /// are done.
  double start = 0;
  double end = 0;
  /// From the end of the kernels before to the end of this one: all kernels'
  /// are the phase's, but for launches.
  double seconds = 0;
  WorkTotals totals;

  /// The resource that its work needs longest, or Sync if that is less than
  /// half of the kernel's time.
  Bound getBound() const;
};

/// A command of a phase, when it ran.
struct TimedCommand {
  /// Seconds from the phase's start.
  double start = 0;
  double end = 0;
  Queue queue = Queue::System;
  const char *instruction = "";
  uint32_t kernel = UINT32_MAX; ///< its number; UINT32_MAX: of none
  Bound bound = Bound::Sync;
  uint64_t dramBytes = 0;
  int64_t step = 0;
  /// What it was fetched as and does; while the visitor is called.
  const Instruction *source = nullptr;
  const Work *work = nullptr;
};
using CommandVisitor = std::function<void(const TimedCommand &)>;

struct PhaseTiming {
  int64_t tokens = 0;
  int64_t steps = 0;
  double seconds = 0;
  /// Its static energy is that of all the time.
  WorkTotals totals;
  /// Part of the time in which nothing moves from or to DRAM, launches left
  /// out.
  double dramIdle = 0;
  /// By what was the limit, as in ProgramTiming, in seconds.
  std::array<double, kBounds> busy = {};
  std::vector<KernelTiming> kernels;

  /// What keeps it longest.
  Bound getBound() const;
};

/// A step that decodes one token at `position`. `visit`, if there is one, is
/// called for every command.
Result<PhaseTiming> timeDecode(const Config &config, const StepProgram &step,
                               int64_t position, int64_t capacity,
                               const CommandVisitor &visit = {});

/// As many steps as `tokens` of a prompt need, of which the last gives logits
/// of one row.
Result<PhaseTiming> timePrefill(const Config &config, const StepProgram &step,
                                int64_t tokens, int64_t capacity,
                                const CommandVisitor &visit = {});

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_SIM_STEPTIMING_H
