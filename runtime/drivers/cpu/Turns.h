// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A barrier that lets one worker run at a time, for tests of generated code.

#ifndef UMBER_RUNTIME_DRIVERS_CPU_TURNS_H
#define UMBER_RUNTIME_DRIVERS_CPU_TURNS_H

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace umber::cpu {

/// Workers take turns between two meetings, in ascending or descending order.
///
/// Two workers that write to one place, or of which one reads what the other
/// writes, without a meeting between them, give one result in one order and
/// another in the other order, each every time. So a race that is one in a
/// hundred under a Barrier is found by running once in each order.
class Turns {
public:
  enum class Order { Ascending, Descending };

  Turns(int workers, Order order) : workers(workers), order(order) {}
  Turns(const Turns &) = delete;
  Turns &operator=(const Turns &) = delete;

  /// Before a worker's work: returns when it is its turn.
  void begin(int worker);
  /// Returns when every other worker has had its turn.
  void meet();
  /// After a worker's work.
  void end();

private:
  int next() const;
  void wait(std::unique_lock<std::mutex> &lock, int worker);

  const int workers;
  const Order order;
  std::mutex mutex;
  std::condition_variable changed;
  // Turns that are over.
  uint64_t over = 0;
};

} // namespace umber::cpu

#endif // UMBER_RUNTIME_DRIVERS_CPU_TURNS_H
