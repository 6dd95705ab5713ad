// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-compile/Progress.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

namespace umber::compile {

Progress::Progress()
    : isTerminal(llvm::sys::Process::StandardErrIsDisplayed()) {}

void Progress::show(llvm::StringRef what, double done) {
  int percent = static_cast<int>(done * 100.0);
  if (!isTerminal || (percent == lastPercent && what == lastWhat)) {
    return;
  }
  lastPercent = percent;
  lastWhat = what.str();
  constexpr int kWidth = 30;
  int filled = percent * kWidth / 100;
  llvm::errs() << "\r\033[K" << what << " [" << std::string(filled, '=')
               << std::string(kWidth - filled, ' ') << "] " << percent << "%";
  isShown = true;
}

void Progress::clear() {
  if (isShown) {
    llvm::errs() << "\r\033[K";
    isShown = false;
  }
}

} // namespace umber::compile
