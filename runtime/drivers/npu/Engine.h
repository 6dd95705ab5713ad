// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// When each command of a program runs: queues that wait for one another's
// semaphores, and share the channel to DRAM. Driven by events, so that the
// time it takes grows with the commands and not with the cycles.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_ENGINE_H
#define UMBER_RUNTIME_DRIVERS_NPU_ENGINE_H

#include "runtime/drivers/npu/Energy.h"

#include <array>
#include <vector>

namespace umber::npu {

/// What a command, or a program, spends its time on.
enum class Bound : uint8_t {
  Mac,  ///< the matrix array
  Dram, ///< its part of the channel's bandwidth
  Lut,  ///< the palette decoder
  Sram, ///< the scratchpad's banks
  Vpu,  ///< the vector unit
  Sync, ///< waiting for semaphores longer than it runs
};
constexpr unsigned kBounds = 6;

/// Cycles of the array's clock, from the program's launch.
struct CommandTiming {
  double start = 0;
  double end = 0;
  Bound bound = Bound::Sync;
  /// Its static part is the command's share of the time it ran, divided
  /// evenly among the commands that ran beside it.
  Energy energy;
};

struct ProgramTiming {
  double cycles = 0;
  std::vector<CommandTiming> commands;
  /// When the queue has a command under way.
  std::array<double, kQueues> queueBusy = {};
  /// By what was the limit, as in Bound; of Sync, when nothing ran.
  std::array<double, kBounds> resourceBusy = {};
  /// What keeps the program longest.
  Bound bound = Bound::Sync;
  /// When no stream moves: what prefetching failed to hide.
  double dramIdle = 0;
  /// With what fills up bursts.
  uint64_t dramBytes = 0;
  /// Its static part is that of all cycles, launch included.
  Energy energy;
};

/// Runs a program, given in the order in which its commands are fetched.
///
/// A command starts when its queue is free, when it is fetched, and when its
/// waits are met; it signals when it is done. It takes a cycle at least. One
/// that moves data from or to DRAM is issued while the queue's one before
/// still moves its own, so that its latency is hidden, and moves after that.
///
/// InvalidArgument: `command N: …` for a queue or semaphore that is not there,
/// a semaphore that passes 63, and a wait that is never met, for which all
/// queues that wait are named.
Result<ProgramTiming> simulate(const Config &config,
                               const std::vector<Command> &program);

/// Cycles of the array's clock that each resource needs for a work, DRAM if no
/// other stream is active; of Sync, 0.
std::array<double, kBounds> getResourceCycles(const Config &config,
                                              const Work &work);

/// Cycles of the array's clock that the vector unit needs for a work.
double getVectorCycles(const Config &config, const Work &work);

/// `mac`, `dram`, `lut`, `sram`, `vpu` or `sync`.
const char *getName(Bound bound);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_ENGINE_H
