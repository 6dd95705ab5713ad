// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which commands a step's time is made of: from its end back to its launch,
// always the command that the last one had to wait for.

#ifndef UMBER_TOOLS_UMBER_REPORT_CRITICALPATH_H
#define UMBER_TOOLS_UMBER_REPORT_CRITICALPATH_H

#include "runtime/drivers/npu/Command.h"

#include <cstddef>
#include <vector>

namespace umber::tools {

/// A command of a step, when it ran, in seconds.
struct PathCommand {
  npu::Queue queue = npu::Queue::System;
  double start = 0;
  double end = 0;
  /// What the channel to DRAM needs for its bytes; 0: it moves none.
  double channel = 0;
  /// What its stream takes if no other is on the channel, which its own engine
  /// may hold back.
  double alone = 0;
  bool isDramBound = false;
};

/// What each command contributes to the step's time.
struct CriticalPath {
  std::vector<double> seconds; ///< by command
  /// In which nothing that a command does is waited for: latencies, and what
  /// came before the first one.
  double waiting = 0;
};

/// Commands in the order in which they were fetched. A command's time begins
/// when the one that it had to wait for ended, so that all times, waiting
/// included, add up to the end of the last. Of what moves data from or to DRAM
/// and has to share the channel, the time beyond its own need is of those that
/// it shares with, as the channel divides it. `latency`: of DRAM, seconds, of
/// those commands whose queue has nothing under way.
CriticalPath findCriticalPath(const std::vector<PathCommand> &commands,
                              double latency);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_REPORT_CRITICALPATH_H
