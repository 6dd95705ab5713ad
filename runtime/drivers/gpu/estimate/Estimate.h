// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a step of a compiled model would take on a GPU that is described, in
// closed form. A launch takes as long as the resource that it needs longest
// (Williams et al. 2009, the roofline model), behind the time between launches
// and one latency of memory. What a launch needs is told in docs/gpu.md.

#ifndef UMBER_RUNTIME_DRIVERS_GPU_ESTIMATE_ESTIMATE_H
#define UMBER_RUNTIME_DRIVERS_GPU_ESTIMATE_ESTIMATE_H

#include "runtime/drivers/gpu/estimate/Config.h"
#include "runtime/drivers/gpu/estimate/LaunchFile.h"

#include <array>

namespace umber::gpu {

/// What launches need for some time.
enum class Resource { Arithmetic, Decode, Dram, L2, Latency };
constexpr unsigned kResources = 5;

/// `mac`, `lut`, `dram`, `l2` or `latency`, as in reports.
const char *getName(Resource resource);

/// Bytes that DRAM reads and writes.
struct DramBytes {
  double weights = 0, adapters = 0, cache = 0, activations = 0;

  double all() const { return weights + adapters + cache + activations; }
};

/// What a launch does, in one step or in several.
struct LaunchEstimate {
  /// All of its time, what lies between it and the launch before it included.
  /// Those of launches that run together are parts of their time.
  double seconds = 0;
  /// Of that, what no resource is needed for.
  double waiting = 0;
  /// In seconds, if nothing else is in its way.
  std::array<double, kResources> needed = {};
  /// Which of these it has waited for.
  std::array<double, kResources> boundSeconds = {};
  DramBytes dram;
  double l2Bytes = 0;
  double integerOps = 0; ///< executed, a tile's idle rows included
  double floatOps = 0;
  double codes = 0;
  double groups = 0; ///< workgroups that have rows

  /// What it has waited for longest.
  Resource getBound() const;
  LaunchEstimate &operator+=(const LaunchEstimate &other);
};

struct StepShape {
  int64_t position = 0; ///< of the first token
  int64_t tokens = 1;
  int64_t outputs = 1; ///< the last rows, which get logits
};

/// When a launch of a phase's first step runs, in seconds from its start.
struct TimedLaunch {
  size_t launch = 0;
  double start = 0, end = 0;
};

struct PhaseEstimate {
  int64_t tokens = 0;
  int64_t steps = 0;
  int64_t rows = 0; ///< of a step, at most
  double seconds = 0;
  double stepSeconds = 0; ///< of that, to begin and to end steps
  std::vector<LaunchEstimate> launches;
  std::vector<TimedLaunch> timeline;
};

class Estimator {
public:
  /// Both outlive it. NotFound if the file has no launches for the device's
  /// API.
  static Result<Estimator> create(const LaunchFile &file, const Config &config);

  /// The launches of all programs, by name, those of the narrowest first.
  const std::vector<const LaunchWork *> &getLaunches() const {
    return launches;
  }

  /// A step that decodes one token at `position`. `rank`: of the adapters that
  /// are active at every site, beside the package's own corrections.
  PhaseEstimate estimateDecode(int64_t position, int64_t rank) const;
  /// As many steps as the prompt needs, of which the last gives logits of one
  /// row.
  PhaseEstimate estimatePrefill(int64_t tokens, int64_t rank) const;

private:
  Estimator(const LaunchFile &file, const Config &config);
  void addStep(const StepShape &step, int64_t rank, PhaseEstimate &phase) const;

  const Config *config;
  std::vector<const LaunchProgram *> programs; ///< narrowest first
  std::vector<const LaunchWork *> launches;
  std::vector<std::vector<size_t>> numbers; ///< by program, of its launches
};

/// Launches that run together: the first waits for what was before, and all
/// others have `withPrevious`.
std::vector<LaunchEstimate>
estimateTogether(const Config &config,
                 const std::vector<const LaunchWork *> &launches,
                 const StepShape &step, int64_t rank);

/// In joules, without the static part.
struct LaunchEnergy {
  double memory = 0, compute = 0, codes = 0;
};
LaunchEnergy getEnergy(const Config &config, const LaunchEstimate &launch);

} // namespace umber::gpu

#endif // UMBER_RUNTIME_DRIVERS_GPU_ESTIMATE_ESTIMATE_H
