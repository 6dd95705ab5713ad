// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-report/CostGroups.h"

#include <algorithm>

namespace umber::tools {

using namespace npu;

const char *getName(Part part) {
  constexpr const char *kNames[kParts] = {
      "weights",  "adapters",    "cache",     "data",
      "products", "corrections", "attention", "vector"};
  return kNames[unsigned(part)];
}

CostRecorder::CostRecorder(const Config &config, const ModelInfo &model)
    : config(config), model(model), channel(config) {
  for (size_t i = 0; i < model.matrices.size(); ++i) {
    if (model.matrices[i].end > model.matrices[i].begin) {
      begins.push_back({model.matrices[i].begin, static_cast<int32_t>(i)});
    }
  }
  std::sort(begins.begin(), begins.end());
  slots.fill({Part::Products, -1});
}

int32_t CostRecorder::findMatrix(uint64_t offset) const {
  auto after = std::upper_bound(begins.begin(), begins.end(),
                                std::pair{offset, INT32_MAX});
  if (after == begins.begin()) {
    return -1;
  }
  int32_t matrix = std::prev(after)->second;
  return offset < model.matrices[matrix].end ? matrix : -1;
}

CostRecorder::Key CostRecorder::getKey(const TimedCommand &command) {
  Key key = {command.kernel, Part::Vector, -1};
  const Operation &operation = command.source->operation;
  if (const auto *stream = std::get_if<StreamWeights>(&operation)) {
    bool isAdapter = stream->from.region == Region::Adapters;
    key.matrix = isAdapter ? -1 : findMatrix(stream->from.offset);
    key.part = isAdapter ? Part::Adapters : Part::Weights;
    slots[stream->slot] = {isAdapter ? Part::Corrections : Part::Products,
                           key.matrix};
  } else if (const auto *table = std::get_if<LoadTable>(&operation)) {
    key.part = Part::Weights;
    key.matrix = findMatrix(table->from.offset);
  } else if (const auto *product = std::get_if<Multiply>(&operation)) {
    std::tie(key.part, key.matrix) = slots[product->slot];
  } else if (std::holds_alternative<MultiplyDynamic>(operation)) {
    key.part = Part::Attention;
  } else if (command.work->dramBytes() > 0) {
    key.part = command.work->region == Region::Cache      ? Part::Cache
               : command.work->region == Region::Adapters ? Part::Adapters
                                                          : Part::Data;
  }
  return key;
}

void CostRecorder::add(const TimedCommand &command) {
  if (command.step != step) {
    endStep();
    step = command.step;
  }
  Key key = getKey(command);
  CostGroup &group = groups[key];
  group.kernel = key.kernel;
  group.part = key.part;
  group.matrix = key.matrix;
  uint64_t moved = channel.getMovedBytes(*command.work);
  group.bytes += moved;
  std::array<double, kBounds> cycles = getResourceCycles(config, *command.work);
  for (unsigned b = 0; b < kBounds; ++b) {
    group.needed[b] += config.seconds(cycles[b]);
  }
  ++group.commands;
  group.energy += getEnergy(*command.work, moved, config.energy);
  PathCommand &timed = commands.emplace_back();
  timed.queue = command.queue;
  timed.start = command.start - stepBegin;
  timed.end = command.end - stepBegin;
  lastEnd = std::max(lastEnd, command.end);
  timed.alone = config.seconds(cycles[unsigned(Bound::Dram)]);
  // The weights' path is as fast as the channel.
  Work asWeights = *command.work;
  asWeights.streamsWeights = true;
  timed.channel = config.seconds(channel.getCycles(asWeights));
  // Waiting says nothing of what limits it once it runs.
  double others = config.seconds(
      std::max({cycles[unsigned(Bound::Mac)], cycles[unsigned(Bound::Lut)],
                cycles[unsigned(Bound::Sram)], cycles[unsigned(Bound::Vpu)]}));
  timed.isDramBound = timed.alone > 0 && timed.alone >= others;
  groupOf.push_back(&group);
}

void CostRecorder::endStep() {
  CriticalPath path = findCriticalPath(commands, config.dram.latencySeconds);
  waiting += path.waiting;
  for (size_t i = 0; i < commands.size(); ++i) {
    groupOf[i]->critical += path.seconds[i];
  }
  commands.clear();
  groupOf.clear();
  stepBegin = lastEnd;
}

CostGroups CostRecorder::finish() {
  endStep();
  CostGroups result;
  result.waiting = waiting;
  for (auto &[key, group] : groups) {
    result.groups.push_back(group);
  }
  return result;
}

} // namespace umber::tools
