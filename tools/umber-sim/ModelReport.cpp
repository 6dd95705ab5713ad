// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-sim/ModelReport.h"

#include "runtime/drivers/npu/isa/Fields.h"
#include "tools/common/CreateFile.h"

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

namespace umber::tools {

using namespace npu;
using Json = nlohmann::ordered_json;

namespace {

constexpr double kMilli = 1e3;

Json describe(const Energy &energy) {
  return {{"memory_mj", kMilli * energy.memory},
          {"compute_mj", kMilli * energy.compute},
          {"vector_mj", kMilli * energy.vector},
          {"static_mj", kMilli * energy.idle}};
}

/// What a kernel and a phase have in common.
void addTotals(Json &json, const WorkTotals &totals, double seconds) {
  Json dram, needed;
  for (unsigned r = 0; r < kRegions; ++r) {
    // Programs move none of their code.
    if (Region(r) != Region::Code) {
      dram[kRegionNames[r]] = totals.dramBytes[r];
    }
  }
  for (unsigned b = 0; b < unsigned(Bound::Sync); ++b) {
    needed[getName(Bound(b))] = kMilli * totals.needed[b];
  }
  json["macs"] = totals.macs();
  json["macs_f16"] = totals.macsF16;
  json["macs_i8"] = totals.macsI8;
  json["vector_elements"] = totals.vectorElements;
  json["decoded_weights"] = totals.decodedWeights;
  json["streamed_weights"] = totals.streamedWeights;
  json["bits_per_weight"] = totals.bitsPerWeight();
  json["utilization"] = seconds > 0 ? totals.peakSeconds / seconds : 0.0;
  json["dram_bytes"] = totals.allDramBytes();
  json["dram"] = dram;
  json["scratchpad_traffic_bytes"] = totals.scratchpadBytes;
  json["needed_ms"] = needed;
  json["energy_mj"] = kMilli * totals.energy.total();
  json["energy"] = describe(totals.energy);
  json["commands"] = totals.commands;
}

Json describe(const ModelReport &report, const KernelTiming &kernel) {
  Json json = {{"name", kernel.info.name}, {"kind", kernel.info.kind}};
  json["layer"] = kernel.info.layer < 0 ? Json() : Json(kernel.info.layer);
  json["start_ms"] = kMilli * kernel.start;
  json["end_ms"] = kMilli * kernel.end;
  json["ms"] = kMilli * kernel.seconds;
  json["share"] = kernel.seconds / report.timing.seconds;
  json["bound"] = getName(kernel.getBound());
  addTotals(json, kernel.totals, kernel.seconds);
  return json;
}

Json describe(const ModelReport &report) {
  const PhaseTiming &timing = report.timing;
  auto tokens = static_cast<double>(timing.tokens);
  double joules = timing.totals.energy.total();
  Json busy, kernels = Json::array();
  for (unsigned b = 0; b < kBounds; ++b) {
    busy[getName(Bound(b))] = kMilli * timing.busy[b];
  }
  for (const KernelTiming &kernel : timing.kernels) {
    kernels.push_back(describe(report, kernel));
  }
  Json json = {{"device", report.config.name},
               {"model", report.model},
               {"phase", report.phase},
               {"tokens", timing.tokens},
               {"steps", timing.steps},
               {"rows_per_step", report.rows},
               {"ms", kMilli * timing.seconds},
               {"tokens_per_second", tokens / timing.seconds},
               {"ms_per_token", kMilli * timing.seconds / tokens},
               {"energy_mj_per_token", kMilli * joules / tokens},
               {"average_w", joules / timing.seconds},
               {"bound", getName(timing.getBound())},
               {"dram_idle", timing.dramIdle / timing.seconds},
               {"busy_ms", busy},
               {"scratchpad_bytes", report.scratchpadBytes},
               {"scratchpad_live_bytes", report.liveBytes}};
  addTotals(json, timing.totals, timing.seconds);
  if (report.nextToken) {
    json["next_token"] = *report.nextToken;
  }
  json["kernels"] = kernels;
  return json;
}

void printTable(const ModelReport &report) {
  const PhaseTiming &timing = report.timing;
  auto tokens = static_cast<double>(timing.tokens);
  std::printf("%-20s %9s %6s %-5s %10s %6s %12s %6s %9s %9s\n", "kernel", "ms",
              "%", "bound", "M products", "util %", "DRAM MB", "bits",
              "mJ memory", "mJ all");
  auto print = [&](const char *name, double seconds, Bound bound,
                   const WorkTotals &totals) {
    std::printf("%-20s %9.4f %6.2f %-5s %10.2f %6.2f %12.3f %6.2f %9.4f "
                "%9.4f\n",
                name, kMilli * seconds, 100 * seconds / timing.seconds,
                getName(bound), 1e-6 * static_cast<double>(totals.macs()),
                seconds > 0 ? 100 * totals.peakSeconds / seconds : 0.0,
                1e-6 * static_cast<double>(totals.allDramBytes()),
                totals.bitsPerWeight(), kMilli * totals.energy.memory,
                kMilli * totals.energy.total());
  };
  for (const KernelTiming &kernel : timing.kernels) {
    print(kernel.info.name.c_str(), kernel.seconds, kernel.getBound(),
          kernel.totals);
  }
  print("all", timing.seconds, timing.getBound(), timing.totals);
  const Energy &energy = timing.totals.energy;
  std::printf("%s, %s on %s: %.3f ms, %.2f tokens/s, %.4f ms and %.3f mJ per "
              "token, %.3f W; DRAM is idle %.2f %% of the time\n",
              report.model.c_str(), report.phase.c_str(),
              report.config.name.c_str(), kMilli * timing.seconds,
              tokens / timing.seconds, kMilli * timing.seconds / tokens,
              kMilli * energy.total() / tokens, energy.total() / timing.seconds,
              100 * timing.dramIdle / timing.seconds);
  if (report.nextToken) {
    std::printf("likeliest next token: %lld\n",
                static_cast<long long>(*report.nextToken));
  }
}

/// A value's numbers and strings in the order they have in the JSON, or their
/// names: those within objects behind their object's, `dram.cache`.
void flatten(const Json &object, const std::string &prefix, bool names,
             std::string &line) {
  for (const auto &[key, value] : object.items()) {
    if (value.is_object()) {
      flatten(value, prefix + key + ".", names, line);
      continue;
    }
    line += line.empty() ? "" : ",";
    // Kernels are named after symbols, which have no commas.
    line += names               ? prefix + key
            : value.is_string() ? value.get<std::string>()
            : value.is_null()   ? ""
                                : value.dump();
  }
}

} // namespace

void printReport(const ModelReport &report, bool json) {
  if (json) {
    std::cout << describe(report).dump(2, ' ', false,
                                       Json::error_handler_t::replace)
              << '\n';
  } else {
    printTable(report);
  }
}

void writeCsv(const ModelReport &report, const std::string &path) {
  KernelTiming all;
  all.info = {"total", "total"};
  all.end = all.seconds = report.timing.seconds;
  all.totals = report.timing.totals;
  std::string text;
  flatten(describe(report, all), "", /*names=*/true, text);
  text += '\n';
  auto add = [&](const KernelTiming &kernel) {
    std::string line;
    flatten(describe(report, kernel), "", /*names=*/false, line);
    text += line + '\n';
  };
  for (const KernelTiming &kernel : report.timing.kernels) {
    add(kernel);
  }
  add(all);
  auto file = createFile(path);
  check(file->append(text.data(), text.size()));
  check(file->commit());
}

} // namespace umber::tools
