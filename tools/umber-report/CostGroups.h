// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the page's cost model is made of: a simulated phase's commands, added up
// by what a change of bits, cache, adapters or hardware changes together.

#ifndef UMBER_TOOLS_UMBER_REPORT_COSTGROUPS_H
#define UMBER_TOOLS_UMBER_REPORT_COSTGROUPS_H

#include "runtime/description/ModelInfo.h"
#include "runtime/drivers/npu/DramChannel.h"
#include "runtime/drivers/npu/sim/StepTiming.h"
#include "tools/umber-report/CriticalPath.h"

#include <map>
#include <tuple>

namespace umber::tools {

/// What a command does, in the names of reports.
enum class Part : uint8_t {
  Weights,     ///< a matrix of the model, from DRAM
  Adapters,    ///< adapters, from DRAM
  Cache,       ///< keys and values, from and to DRAM
  Data,        ///< everything else that DRAM has
  Products,    ///< products with weights
  Corrections, ///< products with adapters
  Attention,   ///< products of activations
  Vector,      ///< the vector unit
};
constexpr unsigned kParts = 8;

/// `weights`, `adapters`, `cache`, `data`, `products`, `corrections`,
/// `attention` or `vector`.
const char *getName(Part part);

struct CostGroup {
  uint32_t kernel = 0;
  Part part = Part::Vector;
  int32_t matrix = -1; ///< of the model's; -1: none, or not known
  /// What it moves from and to DRAM.
  uint64_t bytes = 0;
  /// What it contributes to the phase's time, in seconds.
  double critical = 0;
  /// What resources need for it, in seconds, as in npu::Bound.
  std::array<double, npu::kBounds> needed = {};
  npu::Energy energy; ///< without the static part
  size_t commands = 0;
};

/// A phase's groups, and the time that none of them has: launches, latencies
/// and what is waited for. All times together are the phase's.
struct CostGroups {
  std::vector<CostGroup> groups;
  double waiting = 0;
};

/// Takes a phase's commands from a CommandVisitor.
class CostRecorder {
public:
  CostRecorder(const npu::Config &config, const ModelInfo &model);

  void add(const npu::TimedCommand &command);
  CostGroups finish();

private:
  struct Key {
    uint32_t kernel;
    Part part;
    int32_t matrix;

    bool operator<(const Key &other) const {
      return std::tie(kernel, part, matrix) <
             std::tie(other.kernel, other.part, other.matrix);
    }
  };

  Key getKey(const npu::TimedCommand &command);
  int32_t findMatrix(uint64_t offset) const;
  void endStep();

  const npu::Config &config;
  const ModelInfo &model;
  npu::DramChannel channel;
  /// Matrices by where they begin among the weights.
  std::vector<std::pair<uint64_t, int32_t>> begins;
  /// What each slot of the kernel buffer holds.
  std::array<std::pair<Part, int32_t>, 256> slots;
  std::map<Key, CostGroup> groups;
  double waiting = 0;

  int64_t step = 0;
  /// Seconds from the phase's start.
  double stepBegin = 0;
  double lastEnd = 0;
  std::vector<PathCommand> commands;
  std::vector<CostGroup *> groupOf;
};

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_REPORT_COSTGROUPS_H
