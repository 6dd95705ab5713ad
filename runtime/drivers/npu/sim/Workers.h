// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Threads that share what one instruction computes. The caller waits for what
// others have begun, never for one that has yet to wake up: on a machine that
// is busy with other work, instructions of some microseconds would else take as
// long as the system lets a thread wait.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_SIM_WORKERS_H
#define UMBER_RUNTIME_DRIVERS_NPU_SIM_WORKERS_H

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace umber::npu {

class Workers {
public:
  /// As many threads as the system gives, of those that are asked for; the
  /// caller of run() is one.
  explicit Workers(unsigned threads = 1);
  ~Workers();
  Workers(const Workers &) = delete;
  Workers &operator=(const Workers &) = delete;

  /// Calls f(0) to f(count - 1), in any order, and returns when all are done.
  /// `elements`: what all of them compute together; few are not shared. For one
  /// caller at a time.
  template <typename F>
  void run(size_t count, uint64_t elements, const F &f) const {
    if (threads.empty() || elements < kFewElements) {
      for (size_t i = 0; i < count; ++i) {
        f(i);
      }
      return;
    }
    Job job;
    job.call = [](const void *context, size_t i) {
      (*static_cast<const F *>(context))(i);
    };
    job.context = &f;
    job.count = count;
    share(job);
  }

private:
  /// Less is done before another thread wakes up.
  static constexpr uint64_t kFewElements = 1 << 16;

  struct Job {
    void (*call)(const void *, size_t) = nullptr;
    const void *context = nullptr;
    size_t count = 0;
    size_t atOnce = 1;
    std::atomic<size_t> next{0};

    /// Does what no one has begun.
    void help();
  };

  void share(Job &job) const;
  void work();

  std::vector<std::thread> threads;
  mutable std::mutex mutex;
  mutable std::condition_variable hasJob, isLeft;
  // Under the mutex: the job, if one can be joined, its number, and how many
  // threads beside the caller are at it.
  mutable Job *current = nullptr;
  mutable uint64_t number = 0;
  mutable unsigned helping = 0;
  bool isEnding = false;
};

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_SIM_WORKERS_H
