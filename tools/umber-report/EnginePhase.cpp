// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-report/EnginePhase.h"

#include "runtime/drivers/npu/isa/Fields.h"

#include <algorithm>

namespace umber::tools {

using namespace npu;

namespace {

Json describe(const Energy &energy) {
  return {{"memory", shorten(energy.memory)},
          {"compute", shorten(energy.compute)},
          {"vector", shorten(energy.vector)},
          {"static", shorten(energy.idle)}};
}

void addTotals(Json &json, const WorkTotals &totals) {
  Json dram = Json::object();
  for (unsigned r = 0; r < kRegions; ++r) {
    dram[kRegionNames[r]] = totals.dramBytes[r];
  }
  Json needed = Json::object();
  for (unsigned b = 0; b < kBounds; ++b) {
    if (Bound(b) != Bound::Sync) {
      needed[getName(Bound(b))] = shorten(totals.needed[b]);
    }
  }
  json["macs"] = totals.macs();
  json["macs_f16"] = totals.macsF16;
  json["vector_elements"] = totals.vectorElements;
  json["streamed_weights"] = totals.streamedWeights;
  json["dram"] = std::move(dram);
  json["scratchpad_bytes"] = totals.scratchpadBytes;
  json["needed"] = std::move(needed);
  json["energy"] = describe(totals.energy);
  json["commands"] = totals.commands;
}

Json describe(const KernelTiming &kernel) {
  Json json = {
      {"name", kernel.info.name},
      {"kind", kernel.info.kind},
      {"layer", kernel.info.layer},
      {"start", shorten(kernel.start, 9)},
      {"end", shorten(kernel.end, 9)},
      {"seconds", shorten(kernel.seconds, 9)},
      {"bound", getName(kernel.getBound())},
      {"utilisation", kernel.seconds > 0
                          ? shorten(kernel.totals.peakSeconds / kernel.seconds)
                          : 0}};
  addTotals(json, kernel.totals);
  return json;
}

Json describeTimeline(const std::vector<TimedCommand> &commands) {
  /// Of one kernel in one queue, closer than can be told apart.
  constexpr double kTogether = 1e-7;
  std::array<std::vector<TimedCommand>, kQueues> runs;
  double end = 0;
  for (const TimedCommand &command : commands) {
    end = std::max(end, command.end);
    if (command.queue == Queue::System) {
      continue;
    }
    std::vector<TimedCommand> &queue = runs[unsigned(command.queue)];
    if (!queue.empty() && queue.back().kernel == command.kernel &&
        command.start - queue.back().end < kTogether) {
      queue.back().end = command.end;
    } else {
      queue.push_back(command);
    }
  }
  Json queues = Json::array();
  for (unsigned q = 0; q < kQueues; ++q) {
    if (runs[q].empty()) {
      continue;
    }
    Json rows = Json::array();
    for (const TimedCommand &run : runs[q]) {
      rows.push_back(
          {run.kernel == UINT32_MAX ? int64_t(-1) : int64_t(run.kernel),
           std::round(run.start * 1e9) / 1e9, std::round(run.end * 1e9) / 1e9});
    }
    queues.push_back({{"name", getName(Queue(q))}, {"runs", std::move(rows)}});
  }
  return {{"seconds", end}, {"queues", std::move(queues)}};
}

} // namespace

Json describePhase(const PhaseSimulation &simulation) {
  const Phase &phase = simulation.phase;
  const StepProgram *step = simulation.step;
  PhaseTiming timing = simulation.time();
  Json kernels = Json::array(), busy = Json::object();
  for (const KernelTiming &kernel : timing.kernels) {
    kernels.push_back(describe(kernel));
  }
  for (unsigned b = 0; b < kBounds; ++b) {
    busy[getName(Bound(b))] = shorten(timing.busy[b]);
  }
  Json json = {{"name", phase.text()},
               {"kind", phase.isDecode ? "decode" : "prefill"},
               {"count", phase.count},
               {"tokens", timing.tokens},
               {"steps", timing.steps},
               {"rows", step->rows},
               {"seconds", timing.seconds},
               {"bound", getName(timing.getBound())},
               {"dram_idle", timing.dramIdle / timing.seconds},
               {"busy", std::move(busy)}};
  addTotals(json, timing.totals);
  json["scratchpad_bytes"] = step->scratchpadBytes;
  json["scratchpad_live_bytes"] = step->liveBytes;
  json["kernels"] = std::move(kernels);
  json["timeline"] = describeTimeline(simulation.getCommands());
  return json;
}

} // namespace umber::tools
