// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-compile/Progress.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

namespace umber::compile {

/// The speed is that of so long a time: a run that finds half of the work done
/// by another would otherwise promise too much.
constexpr std::chrono::seconds kMemory(30);

/// Before so much has passed, nobody can tell what remains.
constexpr std::chrono::seconds kWarmUp(2);

Progress::Progress(std::vector<Stage> stages, bool quiet)
    : stages(std::move(stages)), quiet(quiet),
      isTerminal(llvm::sys::Process::StandardErrIsDisplayed()) {}

double Progress::getWhole(llvm::StringRef stage, double done) {
  auto it = llvm::find_if(
      stages, [&](const Stage &candidate) { return candidate.name == stage; });
  if (it != stages.end()) {
    current = it - stages.begin();
  }
  double before = 0, total = 0;
  for (auto [i, candidate] : llvm::enumerate(stages)) {
    before += i < current ? candidate.share : 0;
    total += candidate.share;
  }
  double inside = it != stages.end() ? it->share * done : 0;
  return total > 0 ? (before + inside) / total : 0;
}

std::string Progress::getRemaining(double whole) {
  Clock::time_point now = Clock::now();
  history.emplace_back(now, whole);
  while (now - history.front().first > kMemory && history.size() > 2) {
    history.pop_front();
  }
  auto [since, then] = history.front();
  if (now - since < kWarmUp || whole <= then) {
    return "";
  }
  std::chrono::duration<double> passed = now - since;
  int seconds = static_cast<int>(passed.count() * (1 - whole) / (whole - then));
  return llvm::formatv(", {0}:{1,0+2} left", seconds / 60, seconds % 60).str();
}

void Progress::show(llvm::StringRef stage, double done) {
  bool isNew = stage != lastStage;
  lastStage = stage.str();
  if (!isTerminal) {
    if (isNew && !quiet) {
      llvm::errs() << "umber-compile: " << stage << "\n";
    }
    return;
  }
  double whole = getWhole(stage, done);
  int percent = static_cast<int>(whole * 100.0);
  constexpr int kWidth = 30;
  int filled = percent * kWidth / 100;
  std::string text =
      llvm::formatv("[{0}{1}] {2}%{3}, {4}", std::string(filled, '='),
                    std::string(kWidth - filled, ' '), percent,
                    getRemaining(whole), stage)
          .str();
  if (text != lastText) {
    llvm::errs() << "\r\033[K" << text;
    lastText = std::move(text);
    isShown = true;
  }
}

void Progress::clear() {
  if (isShown) {
    llvm::errs() << "\r\033[K";
    isShown = false;
    lastText.clear();
  }
}

} // namespace umber::compile
