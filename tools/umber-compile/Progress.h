// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_COMPILE_PROGRESS_H
#define UMBER_TOOLS_UMBER_COMPILE_PROGRESS_H

#include "llvm/ADT/StringRef.h"
#include <string>

namespace umber::compile {

/// A progress bar on standard error; silent unless that is a terminal.
class Progress {
public:
  Progress();
  ~Progress() { clear(); }

  /// What is being done, and which part of it is done.
  void show(llvm::StringRef what, double done);
  void clear();

private:
  bool isTerminal;
  bool isShown = false;
  int lastPercent = -1;
  std::string lastWhat;
};

} // namespace umber::compile

#endif // UMBER_TOOLS_UMBER_COMPILE_PROGRESS_H
