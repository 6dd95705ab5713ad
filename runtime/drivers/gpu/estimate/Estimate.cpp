// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/gpu/estimate/Estimate.h"

#include <algorithm>
#include <cmath>
#include <map>

using namespace umber;
using namespace umber::gpu;

namespace {

/// What some launches ask for, added up.
struct Demand {
  LaunchEstimate work;
  double threads = 0;           ///< of all workgroups
  double residentThreads = 0;   ///< as many as fit on all processors
  double arithmeticSeconds = 0; ///< with all processors busy
  double codeSeconds = 0;
};

double divideUp(double a, double b) { return std::ceil(a / b); }

/// Positions that the rows of a step look at: each row's, and those that any
/// of them does.
std::pair<double, double> countPositions(const LaunchWork &launch,
                                         const StepShape &step) {
  double window = launch.window > 0 ? double(launch.window) : INFINITY;
  double tokens = double(step.tokens);
  // Rows that do not see a whole window see one position more than the last.
  double first = double(step.position + 1);
  double growing = std::clamp(window - first + 1, 0.0, tokens);
  double pairs = growing * (2 * first + growing - 1) / 2;
  if (growing < tokens) {
    pairs += (tokens - growing) * window;
  }
  return {pairs, std::min(first, window) + tokens - 1};
}

/// The bytes that DRAM has to move for `bytes` that are used `times` times, one
/// after the other: once, if the L2 cache keeps them.
double getDramBytes(const Config &config, double bytes, double times) {
  return bytes * (bytes <= double(config.l2.bytes) ? 1 : times);
}

/// How many threads of such workgroups a processor has at once.
double getResidentThreads(const Config &config, const LaunchWork &launch) {
  const ProcessorConfig &processors = config.processors;
  int64_t groups =
      std::min(processors.maxGroups, processors.maxThreads / launch.threads);
  if (launch.sharedBytes > 0) {
    groups = std::min(groups, processors.sharedBytes / launch.sharedBytes);
  }
  // What does not fit, the driver refuses; a description may be wrong.
  return double(std::max<int64_t>(groups, 1) * launch.threads);
}

void addTraffic(const Config &config, const LaunchWork &launch, double rows,
                double tiles, double pairs, double positions, int64_t rank,
                LaunchEstimate &work) {
  double parameters = double(launch.parameterBytes);
  work.dram.weights = getDramBytes(config, parameters, tiles) +
                      rows * double(launch.lookupBytes);
  double adapters = 2 * (double(launch.adapterElements) * double(rank) +
                         double(launch.correctionElements));
  work.dram.adapters = getDramBytes(config, adapters, rows);
  double activations = rows * double(launch.rowBytes);
  // What the launch before has written, this one still finds in the cache.
  work.dram.activations =
      activations <= double(config.l2.bytes) ? 0 : activations;
  work.l2Bytes = parameters * tiles + rows * double(launch.lookupBytes) +
                 rows * adapters + activations +
                 rows * double(launch.tileGroups) * double(launch.inputBytes);
  double position = double(launch.cacheBytes);
  if (launch.positionOps > 0) {
    work.dram.cache = getDramBytes(config, positions * position, rows);
    work.l2Bytes += pairs * position * double(launch.cacheReaders);
  } else {
    work.dram.cache = rows * position;
    work.l2Bytes += rows * position;
  }
}

Demand getDemand(const Config &config, const LaunchWork &launch,
                 const StepShape &step, int64_t rank) {
  Demand demand;
  double rows = double(launch.ofOutputs ? step.outputs : step.tokens);
  if (rows == 0) {
    return demand;
  }
  LaunchEstimate &work = demand.work;
  double tiles = divideUp(rows, double(launch.tileRows));
  work.groups = tiles * double(launch.tileGroups);
  auto [pairs, positions] = countPositions(launch, step);
  // Workgroups beyond a row's positions return at once.
  double parts =
      std::min(double(launch.parts), divideUp(pairs / double(step.tokens),
                                              double(launch.partPositions)));
  work.groups *= parts / double(launch.parts);
  addTraffic(config, launch, rows, tiles, pairs, positions, rank, work);
  // A tile's rows are computed whether they are there or not.
  double computed = tiles * double(launch.tileRows);
  work.integerOps = computed * double(launch.integerOps);
  work.floatOps = computed * double(launch.floatOps) +
                  pairs * double(launch.positionOps) +
                  // A multiplication and an addition for each element.
                  rows * 2 *
                      (double(launch.adapterElements) * double(rank) +
                       double(launch.correctionElements));
  work.codes = launch.hasCodes ? tiles * double(launch.weights) : 0;
  const ArithmeticConfig &arithmetic = config.arithmetic;
  double cycles = double(config.processors.count) * config.processors.hz *
                  arithmetic.efficiency;
  bool usesTensorCores = launch.usesTensorCores && arithmetic.tensorOps > 0;
  demand.arithmeticSeconds =
      (work.integerOps /
           (usesTensorCores ? arithmetic.tensorOps : arithmetic.integerOps) +
       work.floatOps / arithmetic.floatOps) /
      cycles;
  demand.codeSeconds = work.codes / arithmetic.codes / cycles;
  demand.threads = work.groups * double(launch.threads);
  demand.residentThreads =
      double(config.processors.count) * getResidentThreads(config, launch);
  return demand;
}

/// Of the processors' rate, what these workgroups can have: the last ones leave
/// some processors idle, and few threads leave some cycles.
double getOccupancy(const Config &config, double groups, double threads,
                    double residentThreads) {
  double count = double(config.processors.count);
  double turns = divideUp(groups, count);
  double spread = groups / (count * turns);
  double perProcessor =
      std::min(threads / groups * turns, residentThreads / count);
  return spread *
         std::min(1.0, perProcessor / double(config.processors.busyThreads));
}

} // namespace

const char *gpu::getName(Resource resource) {
  constexpr const char *kNames[kResources] = {"mac", "lut", "dram", "l2",
                                              "latency"};
  return kNames[unsigned(resource)];
}

Resource LaunchEstimate::getBound() const {
  auto longest = std::max_element(boundSeconds.begin(), boundSeconds.end());
  return *longest < waiting ? Resource::Latency
                            : Resource(longest - boundSeconds.begin());
}

LaunchEstimate &LaunchEstimate::operator+=(const LaunchEstimate &other) {
  seconds += other.seconds;
  waiting += other.waiting;
  for (unsigned r = 0; r < kResources; ++r) {
    needed[r] += other.needed[r];
    boundSeconds[r] += other.boundSeconds[r];
  }
  dram.weights += other.dram.weights;
  dram.adapters += other.dram.adapters;
  dram.cache += other.dram.cache;
  dram.activations += other.dram.activations;
  l2Bytes += other.l2Bytes;
  integerOps += other.integerOps;
  floatOps += other.floatOps;
  codes += other.codes;
  groups += other.groups;
  return *this;
}

std::vector<LaunchEstimate>
gpu::estimateTogether(const Config &config,
                      const std::vector<const LaunchWork *> &launches,
                      const StepShape &step, int64_t rank) {
  std::vector<LaunchEstimate> estimates;
  std::vector<Demand> demands;
  double groups = 0, threads = 0, resident = 0, bytes = 0;
  for (const LaunchWork *launch : launches) {
    const Demand &demand =
        demands.emplace_back(getDemand(config, *launch, step, rank));
    groups += demand.work.groups;
    threads += demand.threads;
    resident = std::max(resident, demand.residentThreads);
    bytes += demand.work.dram.all();
  }
  double parts = double(launches.size());
  if (groups == 0) {
    // Workgroups that return at once.
    for (size_t i = 0; i < launches.size(); ++i) {
      LaunchEstimate &idle = estimates.emplace_back();
      idle.waiting = idle.seconds = config.launchSeconds / parts;
    }
    return estimates;
  }
  double occupancy = getOccupancy(config, groups, threads, resident);
  // Little's law: what is under way at once, over the latency.
  double underWay = std::min(threads, resident) * config.dram.threadBytes;
  double latency = config.dram.latencySeconds;
  std::array<double, kResources> sums = {};
  for (const Demand &demand : demands) {
    LaunchEstimate &launch = estimates.emplace_back(demand.work);
    double moved = demand.work.dram.all();
    launch.needed = {
        demand.arithmeticSeconds / occupancy, demand.codeSeconds / occupancy,
        moved / config.achievedBytesPerSecond(),
        demand.work.l2Bytes / config.l2.bytesPerSecond,
        latency * (bytes > underWay ? moved / underWay : 1 / parts)};
    for (unsigned r = 0; r < kResources; ++r) {
      sums[r] += launch.needed[r];
    }
  }
  size_t bound =
      size_t(std::max_element(sums.begin(), sums.end()) - sums.begin());
  for (LaunchEstimate &launch : estimates) {
    launch.waiting = (config.launchSeconds + latency) / parts;
    launch.boundSeconds[bound] = launch.needed[bound];
    launch.seconds = launch.waiting + launch.needed[bound];
  }
  return estimates;
}

Estimator::Estimator(const LaunchFile &file, const Config &config)
    : config(&config) {
  for (const LaunchProgram &program : file.programs) {
    if (program.api == config.api) {
      programs.push_back(&program);
    }
  }
  std::stable_sort(programs.begin(), programs.end(),
                   [](const LaunchProgram *a, const LaunchProgram *b) {
                     return a->rows < b->rows;
                   });
  std::map<std::string, size_t> known;
  for (const LaunchProgram *program : programs) {
    std::vector<size_t> &own = numbers.emplace_back();
    for (const LaunchWork &launch : program->launches) {
      auto [it, isNew] = known.try_emplace(launch.name, launches.size());
      if (isNew) {
        launches.push_back(&launch);
      }
      own.push_back(it->second);
    }
  }
}

Result<Estimator> Estimator::create(const LaunchFile &file,
                                    const Config &config) {
  Estimator estimator(file, config);
  if (estimator.programs.empty()) {
    return Status(StatusCode::NotFound, "expected launches for " + config.api +
                                            ", which " + config.name +
                                            " runs, found those for " +
                                            file.programs.front().api);
  }
  return estimator;
}

void Estimator::addStep(const StepShape &step, int64_t rank,
                        PhaseEstimate &phase) const {
  size_t chosen = 0;
  while (chosen + 1 < programs.size() && programs[chosen]->rows < step.tokens) {
    ++chosen;
  }
  const std::vector<LaunchWork> &own = programs[chosen]->launches;
  bool isFirst = phase.steps++ == 0;
  double now = config->stepSeconds;
  phase.stepSeconds += config->stepSeconds;
  for (size_t i = 0; i < own.size();) {
    std::vector<const LaunchWork *> together = {&own[i]};
    while (i + together.size() < own.size() &&
           own[i + together.size()].withPrevious) {
      together.push_back(&own[i + together.size()]);
    }
    double end = now;
    for (const LaunchEstimate &launch :
         estimateTogether(*config, together, step, rank)) {
      size_t number = numbers[chosen][i++];
      phase.launches[number] += launch;
      if (isFirst) {
        phase.timeline.push_back(
            {number, end + launch.waiting, end + launch.seconds});
      }
      end += launch.seconds;
    }
    now = end;
  }
  phase.seconds += now;
  phase.tokens += step.tokens;
}

PhaseEstimate Estimator::estimateDecode(int64_t position, int64_t rank) const {
  PhaseEstimate phase;
  phase.launches.resize(launches.size());
  phase.rows = 1;
  addStep({position, 1, 1}, rank, phase);
  return phase;
}

PhaseEstimate Estimator::estimatePrefill(int64_t tokens, int64_t rank) const {
  PhaseEstimate phase;
  phase.launches.resize(launches.size());
  phase.rows = programs.back()->rows;
  for (int64_t done = 0; done < tokens;) {
    int64_t next = std::min(phase.rows, tokens - done);
    addStep({done, next, done + next == tokens ? 1 : 0}, rank, phase);
    done += next;
  }
  return phase;
}

LaunchEnergy gpu::getEnergy(const Config &config,
                            const LaunchEstimate &launch) {
  constexpr double kPico = 1e-12;
  const GpuEnergyConfig &energy = config.energy;
  return {launch.dram.all() * energy.dramByte * kPico,
          (launch.integerOps * energy.integerOp +
           launch.floatOps * energy.floatOp) *
              kPico,
          launch.codes * energy.code * kPico};
}
