// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-report/CostPoints.h"

#include "runtime/drivers/npu/sim/Workers.h"
#include "tools/umber-report/CostGroups.h"

#include <algorithm>
#include <exception>
#include <functional>
#include <thread>

namespace umber::tools {

using namespace npu;

namespace {

/// Positions that attention works on at once: cost has its steps there.
constexpr int64_t kBlock = 256;

using Task = std::function<Json()>;

/// What all tasks return, in their order; throws what the first of them did.
std::vector<Json> runAll(const std::vector<Task> &tasks) {
  std::vector<Json> results(tasks.size());
  std::vector<std::exception_ptr> errors(tasks.size());
  Workers(std::max(1u, std::thread::hardware_concurrency()))
      .run(tasks.size(), UINT64_MAX, [&](size_t i) {
        try {
          results[i] = tasks[i]();
        } catch (...) {
          errors[i] = std::current_exception();
        }
      });
  for (const std::exception_ptr &error : errors) {
    if (error) {
      std::rethrow_exception(error);
    }
  }
  return results;
}

/// What hardware has, times a factor.
struct Factor {
  const char *name;
  double Config::*ofConfig;
  double DramConfig::*ofDram;
  double DecoderConfig::*ofDecoder;
  double factor;
};
Factor bandwidth(double factor) {
  return {"dram.bytes_per_s", nullptr, &DramConfig::bytesPerSecond, nullptr,
          factor};
}
Factor clock(double factor) {
  return {"clock.array_hz", &Config::arrayHz, nullptr, nullptr, factor};
}
Factor vectorClock(double factor) {
  return {"clock.vector_hz", &Config::vectorHz, nullptr, nullptr, factor};
}
Factor decodeRate(double factor) {
  return {"decoder.weights_per_s", nullptr, nullptr,
          &DecoderConfig::weightsPerSecond, factor};
}
using Factors = std::vector<Factor>;

/// Changes hardware, and returns its new values by their names.
Json apply(const Factors &factors, Config &hardware) {
  Json values = Json::object();
  for (const Factor &change : factors) {
    double &value = change.ofConfig ? hardware.*change.ofConfig
                    : change.ofDram ? hardware.dram.*change.ofDram
                                    : hardware.decoder.*change.ofDecoder;
    value *= change.factor;
    values[change.name] = value;
  }
  return values;
}

class Points {
public:
  explicit Points(const PhaseSimulation &simulation)
      : simulation(simulation), config(simulation.config),
        phase(simulation.phase) {}

  std::vector<int64_t> getCounts() const;
  std::vector<Task> getCosts() const;
  std::vector<Task> getTangents() const;
  std::vector<Task> getChecks() const;

private:
  Json describeCosts(int64_t count) const;
  Json describeTangent(const Factors &factors) const;
  Json check(const std::string &what, const Factors &factors, int64_t bits,
             int64_t count) const;

  const PhaseSimulation &simulation;
  const Config &config;
  const Phase &phase;
};

/// Ascending, the phase's own among them.
std::vector<int64_t> Points::getCounts() const {
  int64_t most = simulation.programs.contextLength - (phase.isDecode ? 1 : 0);
  std::vector<int64_t> counts = {phase.count};
  if (phase.isDecode) {
    for (int64_t count = kBlock; count < most; count *= 2) {
      counts.push_back(count - 1);
    }
    counts.insert(counts.end(), {0, most});
  } else {
    counts.insert(counts.end(), {std::min(simulation.step->rows, most),
                                 std::min(2 * phase.count, most)});
  }
  std::sort(counts.begin(), counts.end());
  counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
  return counts;
}

Json Points::describeCosts(int64_t count) const {
  CostRecorder recorder(config, simulation.model);
  PhaseTiming timing = simulation.time(
      config, *simulation.step, count,
      [&](const TimedCommand &command) { recorder.add(command); });
  CostGroups costs = recorder.finish();
  Json groups = Json::array();
  for (const CostGroup &group : costs.groups) {
    bool isOfKernel = group.kernel != UINT32_MAX;
    Json row = {isOfKernel ? int64_t(group.kernel) : int64_t(-1),
                getName(group.part), group.matrix, group.bytes,
                shorten(group.critical)};
    for (Bound bound :
         {Bound::Mac, Bound::Dram, Bound::Lut, Bound::Sram, Bound::Vpu}) {
      row.push_back(shorten(group.needed[unsigned(bound)]));
    }
    row.push_back(group.commands);
    row.push_back(shorten(group.energy.memory));
    row.push_back(shorten(group.energy.compute));
    row.push_back(shorten(group.energy.vector));
    groups.push_back(std::move(row));
  }
  return {{"count", count},
          {"seconds", timing.seconds},
          {"steps", timing.steps},
          {"waiting", costs.waiting},
          {"groups", std::move(groups)}};
}

Json Points::describeTangent(const Factors &factors) const {
  Config hardware = config;
  Json values = apply(factors, hardware);
  CostRecorder recorder(hardware, simulation.model);
  simulation.time(hardware, *simulation.step, phase.count,
                  [&](const TimedCommand &command) { recorder.add(command); });
  CostGroups costs = recorder.finish();
  Json critical = Json::array();
  for (const CostGroup &group : costs.groups) {
    critical.push_back(shorten(group.critical));
  }
  return {{"hardware", std::move(values)},
          {"waiting", costs.waiting},
          {"critical", std::move(critical)}};
}

Json Points::check(const std::string &what, const Factors &factors,
                   int64_t bits, int64_t count) const {
  Config hardware = config;
  Json values = apply(factors, hardware);
  PhaseTiming timing = simulation.time(
      hardware, bits == 0 ? *simulation.step : simulation.withBits(bits),
      count);
  Json json = {{"what", what},
               {"seconds", timing.seconds},
               {"joules", timing.totals.energy.total()},
               {"hardware", std::move(values)}};
  if (bits != 0) {
    json["bits"] = bits;
  }
  if (count != phase.count) {
    json["count"] = count;
  }
  return json;
}

std::vector<Task> Points::getCosts() const {
  std::vector<Task> tasks;
  for (int64_t count : getCounts()) {
    tasks.push_back([this, count] { return describeCosts(count); });
  }
  return tasks;
}

std::vector<Task> Points::getTangents() const {
  std::vector<Factors> all = {{bandwidth(0.4)},
                              {bandwidth(2.5)},
                              {clock(0.4)},
                              {bandwidth(2), clock(0.5), vectorClock(0.5)}};
  // Many rows share what is decoded.
  if (config.decoder.weightsPerSecond > 0 && phase.isDecode) {
    all.push_back({decodeRate(0.3)});
  }
  std::vector<Task> tasks;
  for (const Factors &factors : all) {
    tasks.push_back([this, factors] { return describeTangent(factors); });
  }
  return tasks;
}

std::vector<Task> Points::getChecks() const {
  std::vector<Task> tasks;
  auto add = [&](const std::string &what, const Factors &factors,
                 int64_t bits = 0, int64_t count = -1) {
    tasks.push_back(
        [this, what, factors, bits, count = count < 0 ? phase.count : count] {
          return check(what, factors, bits, count);
        });
  };
  add("0.6 times the DRAM bandwidth", {bandwidth(0.6)});
  add("1.6 times the DRAM bandwidth", {bandwidth(1.6)});
  add("0.7 times the array's clock", {clock(0.7)});
  add("1.5 times the DRAM bandwidth, 0.7 times both clocks",
      {bandwidth(1.5), clock(0.7), vectorClock(0.7)});
  if (config.decoder.weightsPerSecond > 0 && phase.isDecode) {
    add("0.5 times the table decode rate", {decodeRate(0.5)});
  }
  if (simulation.hasPalettes()) {
    for (int64_t bits : {2, 4, 8}) {
      add("palettes of the body with " + std::to_string(bits) + " bits", {},
          bits);
    }
  }
  int64_t between = phase.count + phase.count / 2;
  if (between <= getCounts().back()) {
    add((phase.isDecode ? "a context of " : "a prompt of ") +
            std::to_string(between) + " tokens",
        {}, 0, between);
  }
  return tasks;
}

} // namespace

void addCosts(const PhaseSimulation &simulation, Json &phase) {
  Points points(simulation);
  std::vector<std::pair<const char *, std::vector<Task>>> parts = {
      {"costs", points.getCosts()},
      {"tangents", points.getTangents()},
      {"validation", points.getChecks()}};
  std::vector<Task> all;
  for (auto &[key, tasks] : parts) {
    all.insert(all.end(), tasks.begin(), tasks.end());
  }
  std::vector<Json> results = runAll(all);
  auto next = results.begin();
  for (auto &[key, tasks] : parts) {
    phase[key] = Json::array();
    for (size_t i = 0; i < tasks.size(); ++i) {
      phase[key].push_back(std::move(*next++));
    }
  }
}

} // namespace umber::tools
