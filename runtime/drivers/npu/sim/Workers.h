// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Threads that share what one instruction computes.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_SIM_WORKERS_H
#define UMBER_RUNTIME_DRIVERS_NPU_SIM_WORKERS_H

#include <cstddef>
#include <memory>

struct pthreadpool;

namespace umber::npu {

class Workers {
public:
  /// As many threads as the system gives, of those that are asked for; the
  /// caller of run() is one.
  explicit Workers(unsigned threads = 1);

  /// Calls f(0) to f(count - 1), in any order, and returns when all are done.
  /// `elements`: what all of them compute together; few are not shared.
  template <typename F>
  void run(size_t count, uint64_t elements, const F &f) const {
    if (!pool || elements < kFewElements) {
      for (size_t i = 0; i < count; ++i) {
        f(i);
      }
      return;
    }
    share(
        count,
        [](void *context, size_t i) { (*static_cast<const F *>(context))(i); },
        const_cast<F *>(&f));
  }

private:
  /// Less is done before another thread wakes up.
  static constexpr uint64_t kFewElements = 1 << 15;

  void share(size_t count, void (*call)(void *, size_t), void *context) const;

  struct Free {
    void operator()(pthreadpool *pool) const;
  };
  std::unique_ptr<pthreadpool, Free> pool;
};

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_SIM_WORKERS_H
