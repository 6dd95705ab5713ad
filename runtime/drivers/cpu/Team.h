// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model's workers: one thread pool, and the barrier they share.

#ifndef UMBER_RUNTIME_DRIVERS_CPU_TEAM_H
#define UMBER_RUNTIME_DRIVERS_CPU_TEAM_H

#include "runtime/drivers/cpu/Barrier.h"
#include "runtime/drivers/cpu/Turns.h"
#include "runtime/package/Status.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

struct pthreadpool;

namespace umber::cpu {

/// How many cores this process may run on: its affinity mask, at least 1.
int availableCores();

/// `size` workers of which the caller of run() is one. A team of one has no
/// pool, takes no lock and may run for many callers at once; for a larger one
/// callers take turns.
class Team {
public:
  static constexpr int kMaxWorkers = 256;

  /// InvalidArgument unless 1 <= size <= kMaxWorkers; OutOfMemory without a
  /// pool. With `order`, workers run one at a time (see Turns).
  static Result<std::unique_ptr<Team>>
  create(int size, std::optional<Turns::Order> order = std::nullopt);
  ~Team();
  Team(const Team &) = delete;
  Team &operator=(const Team &) = delete;

  int size() const { return workers; }

  /// Calls work(context, worker) for worker = 0 ... size-1, each on a thread
  /// of its own, and returns when all have. The last thing that work does must
  /// be to meet().
  using Work = void (*)(void *context, int worker);
  void run(Work work, void *context);

  /// For use inside run(): returns when all workers have called it.
  void meet() {
    if (workers == 1) {
      return;
    }
    if (turns) {
      turns->meet();
    } else {
      barrier.wait();
    }
  }

private:
  struct Run {
    Work work;
    void *context;
  };

  Team(int size, std::optional<Turns::Order> order)
      : workers(size), barrier(size) {
    if (order) {
      turns.emplace(size, *order);
    }
  }
  static void runWorker(void *team, size_t worker);

  const int workers;
  uint32_t poolFlags = 0;
  pthreadpool *pool = nullptr;
  Barrier barrier;
  std::optional<Turns> turns;
  // Held by the caller of run().
  std::mutex running;
  // What the pool's threads are to do. The pool publishes it by means of its
  // own; that it is atomic says so in terms of the language.
  std::atomic<const Run *> current{nullptr};
};

} // namespace umber::cpu

#endif // UMBER_RUNTIME_DRIVERS_CPU_TEAM_H
