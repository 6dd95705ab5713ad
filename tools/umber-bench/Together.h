// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Timing what several threads do at once.

#ifndef UMBER_TOOLS_UMBER_BENCH_TOGETHER_H
#define UMBER_TOOLS_UMBER_BENCH_TOGETHER_H

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace umber::tools {

/// Calls work(0) ... work(threads - 1) at the same time, each on a thread of
/// its own, and returns the seconds from the first's start to the last's end.
template <typename Work>
double runTogether(int threads, Work work) {
  using Clock = std::chrono::steady_clock;
  std::vector<Clock::time_point> begins(threads), ends(threads);
  std::atomic<int> waiting{threads};
  auto run = [&](int thread) {
    --waiting;
    while (waiting > 0) {
      std::this_thread::yield();
    }
    begins[thread] = Clock::now();
    work(thread);
    ends[thread] = Clock::now();
  };
  std::vector<std::thread> others;
  for (int thread = 1; thread < threads; ++thread) {
    others.emplace_back(run, thread);
  }
  run(0);
  for (std::thread &other : others) {
    other.join();
  }
  return std::chrono::duration<double>(
             *std::max_element(ends.begin(), ends.end()) -
             *std::min_element(begins.begin(), begins.end()))
      .count();
}

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_BENCH_TOGETHER_H
