// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/Barrier.h"

#include <sched.h>

using namespace umber::cpu;

namespace {

// About 3 microseconds on current x86 and Arm cores, whose pause takes between
// 10 and 45 nanoseconds.
constexpr int kSpins = 100;
// A yield with nobody else to run costs about half a microsecond.
constexpr int kYields = 2000;

void pauseCore() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");
#endif
}

} // namespace

void Barrier::wait() {
  uint32_t current = round.load(std::memory_order_relaxed);
  if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 != workers) {
    waitForRound(current);
    return;
  }
  arrived.store(0, std::memory_order_relaxed);
  // Sequentially consistent, as is the sleepers' side: either this sees the
  // sleeper's count, or the sleeper sees the new round before it sleeps.
  round.store(current + 1, std::memory_order_seq_cst);
  if (sleepers.load(std::memory_order_seq_cst) != 0) {
    std::lock_guard<std::mutex> lock(mutex);
    condition.notify_all();
  }
}

void Barrier::waitForRound(uint32_t current) {
  for (int i = 0; i < kSpins; ++i) {
    if (round.load(std::memory_order_acquire) != current) {
      return;
    }
    pauseCore();
  }
  for (int i = 0; i < kYields; ++i) {
    if (round.load(std::memory_order_acquire) != current) {
      return;
    }
    sched_yield();
  }
  sleepUntilAfter(current);
}

void Barrier::sleepUntilAfter(uint32_t current) {
  std::unique_lock<std::mutex> lock(mutex);
  sleepers.fetch_add(1, std::memory_order_seq_cst);
  condition.wait(
      lock, [&] { return round.load(std::memory_order_seq_cst) != current; });
  sleepers.fetch_sub(1, std::memory_order_relaxed);
}
