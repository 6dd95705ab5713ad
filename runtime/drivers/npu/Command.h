// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the timing of a command depends on: where it waits, and the work it is.
// Whoever decodes instructions, or tiles a product, makes these.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_COMMAND_H
#define UMBER_RUNTIME_DRIVERS_NPU_COMMAND_H

#include <cstdint>

namespace umber::npu {

/// Each runs its commands in order, beside the others.
enum class Queue : uint8_t {
  System,
  Load0,
  Load1,
  Store,
  Weights,
  Matrix,
  Vector,
  Cache,
};
constexpr unsigned kQueues = 8;
constexpr unsigned kSemaphores = 32;
/// The most that a semaphore holds.
constexpr unsigned kMostSignals = 63;

/// Memories beside the scratchpad, each with a base that the host sets.
enum class Region : uint8_t {
  Code,
  Weights,  ///< read only
  Adapters, ///< read only
  Tables,   ///< read only
  Cache,
  Activations,
  Io,
};
constexpr unsigned kRegions = 7;

/// Nothing, where `count` is 0.
struct SemaphoreUse {
  uint8_t semaphore = 0;
  uint8_t count = 0;
};

/// What a command moves and computes. Parts that are not 0 run side by side,
/// so that the slowest decides.
struct Work {
  /// From and to DRAM. A segment is what lies together: each is moved in whole
  /// bursts. 0: all of it lies together.
  uint64_t readBytes = 0;
  uint64_t writeBytes = 0;
  uint64_t segmentBytes = 0;
  /// Where they lie.
  Region region = Region::Activations;
  /// The weights' path, which is more efficient than the activations'.
  bool streamsWeights = false;
  /// Palette look-ups, in weights.
  uint64_t decodedWeights = 0;

  /// Through the scratchpad's ports, and how long that keeps them.
  uint64_t scratchpadBytes = 0;
  double scratchpadCycles = 0;

  double arrayCycles = 0;
  uint64_t macsF16 = 0;
  uint64_t macsI8 = 0;

  uint64_t vectorElements = 0;
  /// Operands that are read per element: 1 or 2.
  uint8_t vectorInputs = 1;
  /// Whether lanes are reduced to one value at the end.
  bool reduces = false;

  uint64_t dramBytes() const { return readBytes + writeBytes; }
};

struct Command {
  Queue queue = Queue::System;
  /// 16-byte words, of which one is fetched a cycle.
  uint8_t words = 1;
  /// A bit per queue: this command, and those that follow it, are not
  /// dispatched before all earlier commands of these queues are done.
  uint8_t fence = 0;
  /// The command starts when both counts are there, and takes them away.
  SemaphoreUse wait[2];
  /// Added when the command is done.
  SemaphoreUse signal;
  Work work;
};

const char *getName(Queue queue);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_COMMAND_H
