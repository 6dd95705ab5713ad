// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-sim/ModelReport.h"

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

namespace umber::tools {

using namespace npu;

namespace {

constexpr double kMilli = 1e3;

void printJson(const ModelReport &report) {
  const PhaseTiming &timing = report.timing;
  auto tokens = static_cast<double>(timing.tokens);
  nlohmann::ordered_json busy, kernels = nlohmann::ordered_json::array();
  for (unsigned b = 0; b < kBounds; ++b) {
    busy[getName(Bound(b))] = kMilli * timing.busy[b];
  }
  for (const KernelTiming &kernel : timing.kernels) {
    kernels.push_back({{"name", kernel.name},
                       {"ms", kMilli * kernel.seconds},
                       {"dram_bytes", kernel.dramBytes},
                       {"macs", kernel.macs},
                       {"energy_mj", kMilli * kernel.joules},
                       {"commands", kernel.commands}});
  }
  nlohmann::ordered_json json = {
      {"device", report.config.name},
      {"model", report.model},
      {"phase", report.phase},
      {"tokens", timing.tokens},
      {"rows_per_step", report.rows},
      {"ms", kMilli * timing.seconds},
      {"tokens_per_second", tokens / timing.seconds},
      {"ms_per_token", kMilli * timing.seconds / tokens},
      {"energy_mj_per_token", kMilli * timing.energy.total() / tokens},
      {"energy",
       {{"memory_mj", kMilli * timing.energy.memory},
        {"compute_mj", kMilli * timing.energy.compute},
        {"vector_mj", kMilli * timing.energy.vector},
        {"static_mj", kMilli * timing.energy.idle}}},
      {"dram_bytes", timing.dramBytes},
      {"dram_idle", timing.dramIdle / timing.seconds},
      {"busy_ms", busy},
      {"commands", timing.commands},
      {"scratchpad_bytes", report.scratchpadBytes},
      {"scratchpad_live_bytes", report.liveBytes},
      {"kernels", kernels}};
  if (report.nextToken) {
    json["next_token"] = *report.nextToken;
  }
  std::cout << json.dump(2) << '\n';
}

void printTable(const ModelReport &report) {
  const PhaseTiming &timing = report.timing;
  auto tokens = static_cast<double>(timing.tokens);
  std::printf("%-24s %10s %12s %14s %10s\n", "kernel", "ms", "DRAM MB",
              "M products", "mJ");
  for (const KernelTiming &kernel : timing.kernels) {
    std::printf(
        "%-24s %10.4f %12.3f %14.2f %10.4f\n", kernel.name.c_str(),
        kMilli * kernel.seconds, 1e-6 * static_cast<double>(kernel.dramBytes),
        1e-6 * static_cast<double>(kernel.macs), kMilli * kernel.joules);
  }
  std::printf("%s, %s on %s: %.3f ms, %.2f tokens/s, %.4f ms and %.3f mJ per "
              "token, %.3f MB of DRAM, which is idle %.2f %% of the time\n",
              report.model.c_str(), report.phase.c_str(),
              report.config.name.c_str(), kMilli * timing.seconds,
              tokens / timing.seconds, kMilli * timing.seconds / tokens,
              kMilli * timing.energy.total() / tokens,
              1e-6 * static_cast<double>(timing.dramBytes),
              100 * timing.dramIdle / timing.seconds);
  if (report.nextToken) {
    std::printf("likeliest next token: %lld\n",
                static_cast<long long>(*report.nextToken));
  }
}

} // namespace

void printReport(const ModelReport &report, bool json) {
  if (json) {
    printJson(report);
  } else {
    printTable(report);
  }
}

} // namespace umber::tools
