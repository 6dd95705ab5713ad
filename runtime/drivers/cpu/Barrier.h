// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the workers of a team meet between dispatches: spin briefly, then let
// others run, then sleep.

#ifndef UMBER_RUNTIME_DRIVERS_CPU_BARRIER_H
#define UMBER_RUNTIME_DRIVERS_CPU_BARRIER_H

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace umber::cpu {

/// A reusable barrier for a fixed number of workers. What a worker wrote before
/// wait() is visible to every worker after it.
///
/// The first worker to arrive usually waits less than a microsecond for the
/// last, so it spins on a cache line that only the last writes. With more
/// workers than free cores spinning would keep the last from running at all, so
/// it then yields, and after about a millisecond sleeps.
class Barrier {
public:
  explicit Barrier(uint32_t workers) : workers(workers) {}
  Barrier(const Barrier &) = delete;
  Barrier &operator=(const Barrier &) = delete;

  /// Returns when all workers have called it for this round.
  void wait();

private:
  void waitForRound(uint32_t current);
  void sleepUntilAfter(uint32_t current);

  const uint32_t workers;
  alignas(64) std::atomic<uint32_t> arrived{0};
  alignas(64) std::atomic<uint32_t> round{0};
  // Workers that sleep or are about to: the last to arrive takes the mutex only
  // if there are any.
  alignas(64) std::atomic<uint32_t> sleepers{0};
  std::mutex mutex;
  std::condition_variable condition;
};

} // namespace umber::cpu

#endif // UMBER_RUNTIME_DRIVERS_CPU_BARRIER_H
