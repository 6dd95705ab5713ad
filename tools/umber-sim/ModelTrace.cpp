// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/common/TraceWriter.h"
#include "tools/umber-sim/ModelReport.h"
#include "umber/umber.h"

#include <algorithm>

using namespace umber;
using namespace umber::npu;

namespace {

uint64_t getNanoseconds(double seconds) {
  return static_cast<uint64_t>(1e9 * seconds + 0.5);
}

} // namespace

void tools::writeTrace(const ModelReport &report,
                       const std::vector<TimedCommand> &commands,
                       const std::string &path) {
  auto file = createFile(path);
  TraceWriter writer(*file, 0);
  writer.begin({{"model", report.model},
                {"phase", report.phase},
                {"device", report.config.name},
                {"version", umber_version()}});
  for (unsigned q = 0; q < kQueues; ++q) {
    writer.nameTrack(static_cast<int32_t>(q), getName(Queue(q)));
  }
  std::array<uint64_t, kQueues> ends = {};
  for (const TimedCommand &command : commands) {
    // Fetching is all that the system's do.
    if (command.queue == Queue::System) {
      continue;
    }
    // One that is issued while the queue's one before still moves its data is
    // shown behind that: a track's slices do not overlap.
    uint64_t &end = ends[unsigned(command.queue)];
    uint64_t begin = std::max(end, getNanoseconds(command.start));
    end = std::max(begin, getNanoseconds(command.end));
    nlohmann::ordered_json arguments = {{"bound", getName(command.bound)},
                                        {"dram_bytes", command.dramBytes}};
    std::string name = command.instruction;
    if (command.kernel != UINT32_MAX) {
      const KernelInfo &kernel = report.timing.kernels[command.kernel].info;
      name = kernel.name + " " + name;
      if (kernel.layer >= 0) {
        arguments["layer"] = kernel.layer;
      }
    }
    nlohmann::ordered_json fields = {{"name", name},
                                     {"cat", command.instruction},
                                     {"args", std::move(arguments)}};
    std::string text = toText(fields);
    writer.addSpan(static_cast<int32_t>(command.queue), begin, end,
                   text.substr(1, text.size() - 2));
  }
  writer.end();
  check(file->commit());
}
