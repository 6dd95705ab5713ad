// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_COMPILE_PROGRESS_H
#define UMBER_TOOLS_UMBER_COMPILE_PROGRESS_H

#include "llvm/ADT/StringRef.h"
#include <chrono>
#include <deque>
#include <string>
#include <vector>

namespace umber::compile {

/// A part of a compilation that takes time.
struct Stage {
  std::string name;
  /// How long it takes beside the others; 0 for one that takes next to nothing.
  double share = 0;
};

/// Shows on standard error how far a compilation has come: on a terminal as a
/// bar, with the time that remains; elsewhere as a line when a stage begins.
class Progress {
public:
  /// What is still to be done, in its order. `quiet`: no lines where there is
  /// no terminal.
  Progress(std::vector<Stage> stages, bool quiet);
  ~Progress() { clear(); }

  /// Which part of a stage is done, from 0 to 1.
  void show(llvm::StringRef stage, double done);
  void clear();

private:
  using Clock = std::chrono::steady_clock;

  /// The part of the whole that is done.
  double getWhole(llvm::StringRef stage, double done);
  /// "" as long as nobody can tell.
  std::string getRemaining(double whole);

  std::vector<Stage> stages;
  bool quiet, isTerminal, isShown = false;
  size_t current = 0;
  std::string lastStage, lastText;
  /// When how much was done, in the recent past.
  std::deque<std::pair<Clock::time_point, double>> history;
};

} // namespace umber::compile

#endif // UMBER_TOOLS_UMBER_COMPILE_PROGRESS_H
