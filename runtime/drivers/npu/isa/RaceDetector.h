// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds accesses to the same bytes that nothing orders, as FastTrack does
// (Flanagan and Freund, PLDI 2009): commands come in an order that respects
// what orders them, and for each byte the last write and each queue's last read
// are kept.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_ISA_RACEDETECTOR_H
#define UMBER_RUNTIME_DRIVERS_NPU_ISA_RACEDETECTOR_H

#include "runtime/drivers/npu/isa/Access.h"

#include <array>
#include <map>
#include <optional>

namespace umber::npu {

/// Of each queue, how many of its first commands are done.
using QueueClock = std::array<uint32_t, kQueues>;

/// A command: number `position` of its queue, from 1; 0 is none.
struct QueuePosition {
  uint8_t queue = 0;
  uint32_t position = 0;
};

class RaceDetector {
public:
  struct Race {
    QueuePosition other;
    bool isOtherWrite = false;
    /// Bytes that both access.
    int64_t begin = 0;
    int64_t end = 0;
  };

  /// Adds an access by a command that starts when `before` is done, and returns
  /// an earlier access that is not ordered with it.
  std::optional<Race> add(const Access &access, QueuePosition command,
                          const QueueClock &before);

private:
  /// Bytes up to `end` with the same history.
  struct Range {
    int64_t end = 0;
    QueuePosition writer;
    QueueClock readers = {};

    bool hasSameHistory(const Range &other) const {
      return writer.queue == other.writer.queue &&
             writer.position == other.writer.position &&
             readers == other.readers;
    }
  };
  /// By their first byte; what is in none was not accessed.
  using Ranges = std::map<int64_t, Range>;

  static void split(Ranges &ranges, int64_t at);
  static std::optional<Race> addRun(Ranges &ranges, int64_t begin, int64_t end,
                                    bool isWrite, QueuePosition command,
                                    const QueueClock &before);

  Ranges scratchpad, kernelSlots, tableSlots;
  std::array<Ranges, kRegions> regions;
};

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_ISA_RACEDETECTOR_H
