// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-report/GpuPhase.h"

#include "tools/umber-report/CostGroups.h"

#include <algorithm>

namespace umber::tools {

using namespace gpu;

namespace {

PhaseEstimate estimate(const Estimator &estimator, const Phase &phase,
                       int64_t count) {
  // No adapters: how many run is for the user of a package to say.
  return phase.isDecode ? estimator.estimateDecode(count, 0)
                        : estimator.estimatePrefill(count, 0);
}

Json describe(const DramBytes &dram) {
  return {{"weights", shorten(dram.weights, 12)},
          {"adapters", shorten(dram.adapters, 12)},
          {"cache", shorten(dram.cache, 12)},
          {"activations", shorten(dram.activations, 12)}};
}

/// What a launch and a phase have alike.
void addTotals(Json &json, const LaunchEstimate &launch, double seconds,
               double weights, const Config &config) {
  Json needed = Json::object();
  for (unsigned r = 0; r < kResources; ++r) {
    needed[getName(Resource(r))] = shorten(launch.needed[r]);
  }
  LaunchEnergy energy = getEnergy(config, launch);
  json["macs"] = shorten((launch.integerOps + launch.floatOps) / 2, 12);
  json["macs_f32"] = shorten(launch.floatOps / 2, 12);
  json["streamed_weights"] = shorten(weights, 12);
  json["dram"] = describe(launch.dram);
  json["l2_bytes"] = shorten(launch.l2Bytes, 12);
  json["needed"] = std::move(needed);
  json["energy"] = {{"memory", shorten(energy.memory)},
                    {"compute", shorten(energy.compute)},
                    {"vector", shorten(energy.codes)},
                    {"static", shorten(seconds * config.energy.activeWatts)}};
}

/// The part of a launch's time in which the resource of a roofline that it
/// needs longest is used.
double getUtilisation(const LaunchEstimate &launch) {
  double most = 0;
  for (unsigned r = 0; r < kResources; ++r) {
    if (Resource(r) != Resource::Latency) {
      most = std::max(most, launch.needed[r]);
    }
  }
  return launch.seconds > 0 ? most / launch.seconds : 0;
}

/// Of each launch, the weights that it multiplies by in the phase's steps.
double countWeights(const LaunchWork &launch, const LaunchEstimate &estimate) {
  double read = double(launch.parameterBytes);
  return read > 0
             ? double(launch.weights) * std::round(estimate.dram.weights / read)
             : 0;
}

/// Of a launch, a row for each part that what-if scales by itself.
void addGroups(Json &groups, size_t number, const LaunchWork &launch,
               const LaunchEstimate &estimate, const Config &config) {
  LaunchEnergy energy = getEnergy(config, estimate);
  auto bound = [&](Resource resource) {
    return estimate.boundSeconds[unsigned(resource)];
  };
  auto need = [&](Resource resource) {
    return estimate.needed[unsigned(resource)];
  };
  auto add = [&](Part part, double bytes, double critical,
                 const std::array<double, 5> &needed, double memory,
                 double compute, double vector) {
    Json row = {number, getName(part),
                part == Part::Weights || part == Part::Products ? launch.matrix
                                                                : int64_t(-1),
                shorten(bytes, 12), shorten(critical)};
    for (double seconds : needed) {
      row.push_back(shorten(seconds));
    }
    row.push_back(1);
    for (double joules : {memory, compute, vector}) {
      row.push_back(shorten(joules));
    }
    groups.push_back(std::move(row));
  };
  // Needs are in the order of the page's: products, DRAM, palettes, L2, and
  // what no change of the page has an effect on.
  double all = estimate.dram.all();
  for (auto [part, bytes] :
       {std::pair(Part::Weights, estimate.dram.weights),
        std::pair(Part::Adapters, estimate.dram.adapters),
        std::pair(Part::Cache, estimate.dram.cache),
        std::pair(Part::Data, estimate.dram.activations)}) {
    if (bytes > 0) {
      double share = bytes / all;
      add(part, bytes, share * bound(Resource::Dram),
          {0, share * need(Resource::Dram), 0, 0, 0}, share * energy.memory, 0,
          0);
    }
  }
  if (need(Resource::Arithmetic) > 0 || need(Resource::Decode) > 0) {
    add(launch.positionOps > 0 ? Part::Attention : Part::Products, 0,
        bound(Resource::Arithmetic) + bound(Resource::Decode),
        {need(Resource::Arithmetic), 0, need(Resource::Decode), 0, 0}, 0,
        energy.compute, energy.codes);
  }
  add(Part::Vector, 0, bound(Resource::L2) + bound(Resource::Latency),
      {0, 0, 0, need(Resource::L2), need(Resource::Latency)}, 0, 0, 0);
}

Json describeCosts(const Estimator &estimator, const Config &config,
                   const Phase &phase, int64_t count) {
  PhaseEstimate made = estimate(estimator, phase, count);
  Json groups = Json::array();
  double waiting = made.stepSeconds;
  for (size_t i = 0; i < made.launches.size(); ++i) {
    addGroups(groups, i, *estimator.getLaunches()[i], made.launches[i], config);
    waiting += made.launches[i].waiting;
  }
  return {{"count", count},
          {"seconds", made.seconds},
          {"steps", made.steps},
          {"waiting", waiting},
          {"groups", std::move(groups)}};
}

/// Ascending, the phase's own among them.
std::vector<int64_t> getCounts(const Phase &phase, int64_t rows,
                               int64_t contextLength) {
  int64_t most = contextLength - (phase.isDecode ? 1 : 0);
  std::vector<int64_t> counts = {phase.count};
  if (phase.isDecode) {
    // Launches' needs are straight lines in between.
    counts.insert(counts.end(), {0, most / 2, most});
  } else {
    counts.insert(counts.end(),
                  {std::min(rows, most), std::min(2 * phase.count, most)});
  }
  std::sort(counts.begin(), counts.end());
  counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
  return counts;
}

} // namespace

Json describeGpuPhase(const Estimator &estimator, const Config &config,
                      const Phase &phase, int64_t contextLength) {
  PhaseEstimate made = estimate(estimator, phase, phase.count);
  const std::vector<const LaunchWork *> &launches = estimator.getLaunches();
  std::vector<std::pair<double, double>> times(launches.size());
  Json runs = Json::array();
  double stepEnd = 0;
  for (const TimedLaunch &timed : made.timeline) {
    times[timed.launch] = {timed.start, timed.end};
    runs.push_back(
        {timed.launch, shorten(timed.start, 9), shorten(timed.end, 9)});
    stepEnd = timed.end;
  }
  Json kernels = Json::array();
  LaunchEstimate all;
  double weights = 0;
  for (size_t i = 0; i < launches.size(); ++i) {
    const LaunchEstimate &launch = made.launches[i];
    double own = countWeights(*launches[i], launch);
    Json json = {{"name", launches[i]->name},
                 {"kind", launches[i]->kind},
                 {"layer", launches[i]->layer},
                 {"start", shorten(times[i].first, 9)},
                 {"end", shorten(times[i].second, 9)},
                 {"seconds", shorten(launch.seconds, 9)},
                 {"bound", getName(launch.getBound())},
                 {"utilisation", shorten(getUtilisation(launch))},
                 {"workgroups", launch.groups},
                 {"threads", launches[i]->threads}};
    addTotals(json, launch, launch.seconds, own, config);
    kernels.push_back(std::move(json));
    all += launch;
    weights += own;
  }
  all.waiting += made.stepSeconds;
  Json json = {{"name", phase.text()},
               {"kind", phase.isDecode ? "decode" : "prefill"},
               {"count", phase.count},
               {"tokens", made.tokens},
               {"steps", made.steps},
               {"rows", made.rows},
               {"seconds", made.seconds},
               {"bound", getName(all.getBound())},
               {"waiting", shorten(all.waiting)}};
  addTotals(json, all, made.seconds, weights, config);
  json["kernels"] = std::move(kernels);
  json["timeline"] = {
      {"seconds", stepEnd},
      {"queues", {{{"name", "launches"}, {"runs", std::move(runs)}}}}};
  json["costs"] = Json::array();
  for (int64_t count : getCounts(phase, made.rows, contextLength)) {
    json["costs"].push_back(describeCosts(estimator, config, phase, count));
  }
  return json;
}

} // namespace umber::tools
