// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// In which order the commands of a run can start, as far as semaphores and
// fences say.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_ISA_QUEUESCHEDULE_H
#define UMBER_RUNTIME_DRIVERS_NPU_ISA_QUEUESCHEDULE_H

#include "runtime/drivers/npu/isa/RaceDetector.h"
#include "runtime/package/Status.h"

#include <deque>
#include <string>
#include <vector>

namespace umber::npu {

/// What orders a command.
struct ScheduledCommand {
  SemaphoreUse wait[2];
  SemaphoreUse signal;
  /// Fences before it.
  uint32_t fences = 0;
};

/// How far the queues are, and what semaphores hold then. As each semaphore is
/// taken by one queue, what one queue does takes nothing from another: the
/// order of steps does not matter for how far all get.
class QueueProgress {
public:
  struct Fence {
    uint8_t queues = 0;
    /// Commands of each queue before it.
    QueueClock before = {};
  };
  struct Commands {
    std::array<std::vector<ScheduledCommand>, kQueues> queues;
    std::vector<Fence> fences;
  };

  explicit QueueProgress(const Commands &commands) : commands(&commands) {
    passFences();
  }

  /// The queue's next command, null behind its last.
  const ScheduledCommand *next(unsigned queue) const;
  bool canStart(unsigned queue) const;
  /// Starts and completes the queue's next command.
  void step(unsigned queue);

  bool isDone() const;
  uint32_t done(unsigned queue) const { return counts[queue]; }
  uint32_t fences() const { return fencesPassed; }
  uint64_t held(unsigned semaphore) const;
  /// Units that the queue has signalled in all.
  uint64_t signalled(unsigned semaphore, unsigned queue) const {
    return signals[semaphore][queue];
  }
  uint64_t taken(unsigned semaphore) const { return takes[semaphore]; }

private:
  void passFences();

  const Commands *commands;
  QueueClock counts = {};
  std::array<std::array<uint64_t, kQueues>, kSemaphores> signals = {};
  std::array<uint64_t, kSemaphores> takes = {};
  uint32_t fencesPassed = 0;
};

/// Runs through all commands, and knows of each what is surely done before.
class QueueSchedule {
public:
  explicit QueueSchedule(const QueueProgress::Commands &commands);

  struct Step {
    QueuePosition command;
    /// What is done before it starts.
    QueueClock before = {};
    /// The most that the semaphore which it signals can then hold, or one that
    /// it waits for can before; above kMostSignals is an error.
    unsigned semaphore = 0;
    uint64_t most = 0;
  };

  /// The next command that can start, in an order that respects `before`.
  /// Nothing if there is none. Unsupported if what several queues signal takes
  /// too long to follow.
  Result<std::optional<Step>> next();

  const QueueProgress &progress() const { return state; }

private:
  bool waitsForSeveral(unsigned queue) const;
  /// Fills in what comes before the queue's next command.
  Status order(unsigned queue, Step &step);
  /// How far all others get if the queue's next command never starts.
  Result<QueueProgress> runAhead(unsigned queue);
  void complete(unsigned queue, Step &step);

  const QueueProgress::Commands &commands;
  QueueProgress state;
  /// A bit per queue that signals the semaphore.
  std::array<uint8_t, kSemaphores> signallers = {};
  std::array<QueueClock, kQueues> clocks = {};
  /// What each fence that was passed waited for, and those before it.
  std::vector<QueueClock> fenceClocks;
  /// A signal's units and all before it of its queue, and what is done with it.
  struct Signal {
    uint64_t units;
    QueueClock clock;
  };
  std::array<std::array<std::deque<Signal>, kQueues>, kSemaphores> signals;
  /// Which queue takes a semaphore, and of each of its commands that does, its
  /// position and how much was taken with it.
  struct Take {
    uint32_t position;
    uint64_t units;
  };
  std::array<uint8_t, kSemaphores> takers = {};
  std::array<std::deque<Take>, kSemaphores> takes;
  std::array<uint64_t, kSemaphores> surelyTaken = {};
  uint64_t stepsAhead = 0;
};

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_ISA_QUEUESCHEDULE_H
