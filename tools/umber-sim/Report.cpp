// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-sim/Report.h"

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

namespace umber::tools {

using namespace npu;

namespace {

constexpr double kMilli = 1e3;

const SystolicArray *getSystolic(const ProductReport &report) {
  return std::get_if<SystolicArray>(&report.config.array);
}

void printJson(const ProductReport &report) {
  const ProductTiming &timing = report.timing;
  const ProductShape &shape = report.request.shape;
  double ms = kMilli * timing.seconds;
  nlohmann::ordered_json json = {
      {"device", report.config.name},
      {"rows", shape.rows},
      {"columns", shape.columns},
      {"inner", shape.inner},
      {"weights", report.weights},
      {"layers", report.request.layers},
      {"cycles", timing.cycles},
      {"ms", ms},
      {"ms_per_layer", ms / static_cast<double>(report.request.layers)},
      {"energy_mj", kMilli * timing.energy.total()},
      {"energy",
       {{"memory_mj", kMilli * timing.energy.memory},
        {"compute_mj", kMilli * timing.energy.compute},
        {"vector_mj", kMilli * timing.energy.vector},
        {"static_mj", kMilli * timing.energy.idle}}},
      {"dram_bytes", timing.dramBytes},
      {"bound", getName(timing.bound)},
      {"utilization", timing.utilization},
      {"tile", {timing.tile.rows, timing.tile.columns, timing.tile.inner}}};
  if (const SystolicArray *array = getSystolic(report)) {
    json["dataflow"] = getName(array->dataflow);
    // A whole number, which readers may compare as one.
    json["cycles"] = static_cast<int64_t>(timing.cycles);
  } else {
    json["commands"] = timing.commands;
    json["dram_idle_cycles"] = timing.dramIdleCycles;
  }
  if (timing.stallCycles) {
    json["stall_cycles"] = *timing.stallCycles;
    json["cycles_with_prefetch"] = *timing.cyclesWithPrefetch;
  }
  std::cout << json.dump(2) << '\n';
}

void printTable(const ProductReport &report) {
  const ProductTiming &timing = report.timing;
  const ProductShape &shape = report.request.shape;
  const Energy &energy = timing.energy;
  auto row = [](const char *name, auto... value) {
    std::printf("%-14s", name);
    std::printf(value...);
    std::printf("\n");
  };
  row("device", "%s", report.config.name.c_str());
  row("product", "%lld x %lld, inner %lld, weights %s",
      static_cast<long long>(shape.rows), static_cast<long long>(shape.columns),
      static_cast<long long>(shape.inner), report.weights.c_str());
  row("layers", "%lld", static_cast<long long>(report.request.layers));
  if (const SystolicArray *array = getSystolic(report)) {
    row("dataflow", "%s", getName(array->dataflow));
  } else {
    row("tile", "%lld x %lld, inner %lld",
        static_cast<long long>(timing.tile.rows),
        static_cast<long long>(timing.tile.columns),
        static_cast<long long>(timing.tile.inner));
  }
  row("cycles", "%.0f", timing.cycles);
  if (timing.stallCycles) {
    row("  stalls", "%lld", static_cast<long long>(*timing.stallCycles));
    row("  with prefetch", " %lld",
        static_cast<long long>(*timing.cyclesWithPrefetch));
  }
  row("time", "%.6f ms", kMilli * timing.seconds);
  row("bound", "%s", getName(timing.bound));
  row("utilization", "%.2f %%", 100 * timing.utilization);
  row("DRAM", "%.3f MB", 1e-6 * static_cast<double>(timing.dramBytes));
  row("energy", "%.6f mJ", kMilli * energy.total());
  row("  memory", "%.6f mJ", kMilli * energy.memory);
  row("  compute", "%.6f mJ", kMilli * energy.compute);
  row("  vector", "%.6f mJ", kMilli * energy.vector);
  row("  static", "%.6f mJ", kMilli * energy.idle);
}

} // namespace

void printReport(const ProductReport &report, bool json) {
  if (json) {
    printJson(report);
  } else {
    printTable(report);
  }
}

void printParameters(const Config &config, bool json) {
  if (json) {
    nlohmann::ordered_json list = nlohmann::json::array();
    for (const ConfigParameter &parameter : config.parameters) {
      list.push_back({{"name", parameter.path},
                      {"value", parameter.value},
                      {"provenance", getName(parameter.provenance)},
                      {"source", parameter.source}});
    }
    // A description may hold bytes that are no text.
    std::cout << list.dump(2, ' ', false,
                           nlohmann::json::error_handler_t::replace)
              << '\n';
    return;
  }
  std::printf("| parameter | value | provenance | source |\n"
              "| --- | ---: | --- | --- |\n");
  for (const ConfigParameter &parameter : config.parameters) {
    std::printf("| %s | %.10g | %s | %s |\n", parameter.path.c_str(),
                parameter.value, getName(parameter.provenance),
                parameter.source.c_str());
  }
}

} // namespace umber::tools
