// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/Turns.h"

using namespace umber::cpu;

int Turns::next() const {
  int place = static_cast<int>(over % workers);
  return order == Order::Ascending ? place : workers - 1 - place;
}

void Turns::wait(std::unique_lock<std::mutex> &lock, int worker) {
  changed.wait(lock, [&] { return next() == worker; });
}

void Turns::begin(int worker) {
  std::unique_lock<std::mutex> lock(mutex);
  wait(lock, worker);
}

void Turns::meet() {
  std::unique_lock<std::mutex> lock(mutex);
  // Whoever calls this is at turn.
  int worker = next();
  ++over;
  changed.notify_all();
  wait(lock, worker);
}

void Turns::end() {
  std::lock_guard<std::mutex> lock(mutex);
  ++over;
  changed.notify_all();
}
