// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-run/Profile.h"

#include "tools/common/CreateFile.h"
#include "tools/common/KernelProfile.h"
#include "tools/umber-run/Trace.h"

#include <cinttypes>
#include <cstdio>

using namespace umber::tools;

namespace {

/// Thousands of tokens of a small model, and about as much as the viewers of
/// traces can open.
constexpr size_t kTraceEvents = size_t(1) << 20;

} // namespace

void umber::tools::checkProfile(const RunOptions &options) {
  if (options.profileTrace) {
    createFile(*options.profileTrace);
  }
}

void umber::tools::startProfile(Generator &generator,
                                const RunOptions &options) {
  if (options.profile) {
    umber_session_set_profiling(generator.session(), 1);
  }
  if (options.profileTrace) {
    check([&](umber_error *error) {
      return umber_session_set_tracing(generator.session(), kTraceEvents,
                                       error);
    });
  }
}

void umber::tools::printProfile(const std::vector<umber_session *> &sessions) {
  std::fprintf(stderr, "%-8s %-32s %8s %10s %10s %8s\n", "program", "kernel",
               "runs", "ms", "us/run", "GB/s");
  for (const KernelProfile &kernel : profileKernels(sessions)) {
    double us = kernel.nanoseconds / 1e3;
    std::fprintf(stderr, "%-8s %-32s %8" PRIu64 " %10.2f %10.2f %8.2f\n",
                 kernel.program.c_str(), kernel.name.c_str(), kernel.runs,
                 us / 1e3, us / kernel.runs,
                 us > 0 ? kernel.bytes() / us / 1e3 : 0);
  }
}

void umber::tools::finishProfile(const umber_model *model, Generator &generator,
                                 const RunOptions &options) {
  if (options.profile) {
    printProfile({generator.session()});
  }
  if (!options.profileTrace) {
    return;
  }
  writeTrace(*options.profileTrace, model, generator.session(),
             generator.timeline());
  if (uint64_t dropped = umber_session_trace_dropped(generator.session())) {
    std::fprintf(stderr,
                 "%s: has the first %zu events; %" PRIu64
                 " later ones were dropped\n",
                 options.profileTrace->c_str(),
                 umber_session_trace_count(generator.session()), dropped);
  }
}
