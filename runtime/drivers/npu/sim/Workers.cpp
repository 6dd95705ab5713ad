// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/sim/Workers.h"

#include <algorithm>
#include <system_error>

using namespace umber::npu;

Workers::Workers(unsigned count) {
  try {
    for (unsigned i = 1; i < count; ++i) {
      threads.emplace_back([this] { work(); });
    }
  } catch (const std::system_error &) {
    // Those that there are will do.
  }
}

Workers::~Workers() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    isEnding = true;
  }
  hasJob.notify_all();
  for (std::thread &thread : threads) {
    thread.join();
  }
}

void Workers::Job::help() {
  for (size_t begin = next.fetch_add(atOnce); begin < count;
       begin = next.fetch_add(atOnce)) {
    size_t end = std::min(count, begin + atOnce);
    for (size_t i = begin; i < end; ++i) {
      call(context, i);
    }
  }
}

void Workers::share(Job &job) const {
  // Some for each, so that one that is held up keeps little.
  job.atOnce = std::max<size_t>(1, job.count / (8 * (threads.size() + 1)));
  {
    std::lock_guard<std::mutex> lock(mutex);
    current = &job;
    ++number;
  }
  hasJob.notify_all();
  job.help();
  std::unique_lock<std::mutex> lock(mutex);
  current = nullptr;
  isLeft.wait(lock, [&] { return helping == 0; });
}

void Workers::work() {
  uint64_t seen = 0;
  std::unique_lock<std::mutex> lock(mutex);
  for (;;) {
    hasJob.wait(lock, [&] { return isEnding || (current && number != seen); });
    if (isEnding) {
      return;
    }
    Job *job = current;
    seen = number;
    ++helping;
    lock.unlock();
    job->help();
    lock.lock();
    if (--helping == 0) {
      isLeft.notify_one();
    }
  }
}
