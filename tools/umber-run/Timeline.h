// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_RUN_TIMELINE_H
#define UMBER_TOOLS_UMBER_RUN_TIMELINE_H

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace umber::tools {

/// What a run did one after the other, and when. Empty unless it is on.
class Timeline {
public:
  struct Span {
    const char *name;
    size_t tokens;
    uint64_t begin, end; ///< nanoseconds, as in umber_trace_event
  };

  explicit Timeline(bool on) : on(on) {}

  /// Calls `work`, which is what the name says, done on so many tokens.
  template <typename Work>
  void record(const char *name, size_t tokens, Work work) {
    uint64_t begin = on ? now() : 0;
    work();
    if (on) {
      list.push_back({name, tokens, begin, now()});
    }
  }

  const std::vector<Span> &spans() const { return list; }

private:
  /// CLOCK_MONOTONIC, wherever there is a CPU driver.
  static uint64_t now() {
    return std::chrono::steady_clock::now().time_since_epoch() /
           std::chrono::nanoseconds(1);
  }

  bool on;
  std::vector<Span> list;
};

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_RUN_TIMELINE_H
