// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_RUNTIME_DRIVERS_NPU_DRAMCHANNEL_H
#define UMBER_RUNTIME_DRIVERS_NPU_DRAMCHANNEL_H

#include "runtime/drivers/npu/Command.h"
#include "runtime/drivers/npu/Config.h"

#include <algorithm>
#include <array>

namespace umber::npu {

/// The channel to DRAM, which the streams that are active share: each gets an
/// equal part of what the channel achieves, except that a stream that something
/// else holds back leaves what it cannot use to the others (max-min fairness).
/// Streams of weights have a path of their own; others go through their queue's
/// engine, which has a rate. One stream per queue. Times are cycles of the
/// array's clock.
class DramChannel {
public:
  explicit DramChannel(const Config &config);

  /// Whole bursts of all segments, in bytes.
  uint64_t getMovedBytes(const Work &work) const;
  /// How long they take if no other stream is active.
  double getCycles(const Work &work) const {
    return static_cast<double>(getMovedBytes(work)) /
           std::min(getBandwidth(work), getEngineRate(work));
  }

  /// Starts a queue's stream of a work's bytes. It gets `mostBytesPerCycle` at
  /// most.
  void start(unsigned queue, const Work &work, double mostBytesPerCycle);
  /// Cycles until the stream is through at the present rates.
  double getRemainingCycles(unsigned queue) const;
  /// Lets all streams run.
  void advance(double cycles);
  /// Whether all bytes are moved, up to the rounding of times around `now`.
  bool isDone(unsigned queue, double now) const;

  struct Usage {
    double cycles = 0;
    /// Of these, held back by its own limit, not that of its engine.
    double limitedCycles = 0;
  };
  /// Ends the stream.
  Usage finish(unsigned queue);

  unsigned activeCount() const { return active; }
  /// Whether every active stream is held back by its own limit, not that of
  /// its engine, so that part of the bandwidth lies idle.
  bool isUnderused() const { return underused; }

private:
  struct Stream {
    bool active = false;
    double remaining = 0;
    double bandwidth = 0; ///< bytes a cycle, when it is alone
    double most = 0;
    double rate = 0;
    bool limited = false;
    bool isEngineLimited = false; ///< if it is limited, that is its engine's
    Usage usage;
  };

  /// Bytes a cycle that the channel achieves for a work's stream alone, and
  /// that its engine does.
  double getBandwidth(const Work &work) const;
  double getEngineRate(const Work &work) const;
  void share();

  std::array<Stream, kQueues> streams;
  unsigned active = 0;
  bool underused = false;
  uint64_t burst;
  double readBandwidth;
  double writeBandwidth;
  double engineRate;
};

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_DRAMCHANNEL_H
