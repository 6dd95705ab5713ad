// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/Team.h"

#include <pthreadpool.h>
#include <sched.h>
#include <unistd.h>

using namespace umber;
using namespace umber::cpu;

int umber::cpu::availableCores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) {
    return CPU_COUNT(&set);
  }
  // More cores than cpu_set_t has bits for.
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? static_cast<int>(online) : 1;
}

Result<std::unique_ptr<Team>> Team::create(int size,
                                           std::optional<Turns::Order> order) {
  if (size < 1 || size > kMaxWorkers) {
    return Status(StatusCode::InvalidArgument,
                  "threads must be 1 to " + std::to_string(kMaxWorkers) +
                      ", not " + std::to_string(size));
  }
  std::unique_ptr<Team> team(new Team(size, order));
  if (size > 1) {
    team->pool = pthreadpool_create(size);
    if (!team->pool) {
      return Status(StatusCode::OutOfMemory,
                    "cannot start " + std::to_string(size) + " threads");
    }
    // Between two steps the pool's threads spin for the next one, which comes
    // after a token is sampled. With more threads than cores they would take
    // the core from the sampling thread, so there they sleep.
    if (size > availableCores()) {
      team->poolFlags = PTHREADPOOL_FLAG_YIELD_WORKERS;
    }
  }
  return team;
}

Team::~Team() {
  if (pool) {
    pthreadpool_destroy(pool);
  }
}

void Team::run(Work work, void *context) {
  if (workers == 1) {
    work(context, 0);
    return;
  }
  std::lock_guard<std::mutex> lock(running);
  Run run{work, context};
  current.store(&run, std::memory_order_release);
  // The pool lets a thread that is done take another's item; here none can,
  // since an item that meets the others ends only after all have begun.
  pthreadpool_parallelize_1d(pool, runWorker, this, workers, poolFlags);
}

void Team::runWorker(void *team, size_t worker) {
  Team &self = *static_cast<Team *>(team);
  const Run &run = *self.current.load(std::memory_order_acquire);
  if (self.turns) {
    self.turns->begin(static_cast<int>(worker));
  }
  run.work(run.context, static_cast<int>(worker));
  if (self.turns) {
    self.turns->end();
  }
}
