// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/sim/StepTiming.h"

#include "runtime/drivers/npu/DramChannel.h"
#include "runtime/drivers/npu/isa/Operation.h"
#include "runtime/drivers/npu/sim/Executor.h"

#include <algorithm>
#include <numeric>

using namespace umber;
using namespace umber::npu;

namespace {

/// More than any model has: time alone does not depend on where data lies.
constexpr uint64_t kRegionBytes = uint64_t(1) << 40;

/// Adds up what commands do.
class Counter {
public:
  explicit Counter(const Config &config)
      : config(config), channel(config),
        array(std::get<CoreArray>(config.array)) {}

  void add(const Instruction &instruction, const Work &work,
           const Energy &energy, WorkTotals &to) const {
    to.macsF16 += work.macsF16;
    to.macsI8 += work.macsI8;
    to.vectorElements += work.vectorElements;
    to.decodedWeights += work.decodedWeights;
    const auto *stream = std::get_if<StreamWeights>(&instruction.operation);
    if (stream && stream->from.region == Region::Weights) {
      to.streamedWeights += uint64_t(stream->rows) * stream->columns;
    }
    to.dramBytes[unsigned(work.region)] += channel.getMovedBytes(work);
    to.scratchpadBytes += work.scratchpadBytes;
    std::array<double, kBounds> cycles = getResourceCycles(config, work);
    for (unsigned b = 0; b < kBounds; ++b) {
      to.needed[b] += config.seconds(cycles[b]);
    }
    auto atPeak = [&](uint64_t macs, int64_t rows) {
      return macs == 0 ? 0
                       : config.seconds(double(macs) /
                                        double(rows * array.cores *
                                               array.columns * array.inner));
    };
    to.peakSeconds +=
        atPeak(work.macsF16, array.rowsF16) + atPeak(work.macsI8, array.rowsI8);
    to.energy += energy;
    ++to.commands;
  }

private:
  const Config &config;
  DramChannel channel;
  const CoreArray &array;
};

Status addStep(const Config &config, const StepProgram &step,
               const Registers &registers, const CommandVisitor &visit,
               PhaseTiming &phase) {
  Machine machine(config, /*hasMemory=*/false);
  for (DramRegion &region : machine.regions) {
    region.size = kRegionBytes;
  }
  auto traced = trace(machine, Workers(1), step.program, registers);
  if (!traced.ok()) {
    return traced.status();
  }
  auto timing = simulate(config, traced->commands);
  if (!timing.ok()) {
    return timing.status();
  }
  double begin = phase.seconds;
  phase.seconds += config.seconds(timing->cycles);
  phase.dramIdle += config.seconds(timing->dramIdle) - config.dispatchSeconds;
  for (unsigned b = 0; b < kBounds; ++b) {
    phase.busy[b] += config.seconds(timing->resourceBusy[b]);
  }

  Counter counter(config);
  phase.kernels.resize(step.kernels.size());
  std::vector<double> ends(step.kernels.size());
  for (size_t c = 0; c < traced->commands.size(); ++c) {
    const Instruction &instruction = step.program[traced->instructions[c]];
    const CommandTiming &command = timing->commands[c];
    const Work &work = traced->commands[c].work;
    counter.add(instruction, work, command.energy, phase.totals);
    uint32_t k = instruction.operationId - 1;
    bool isOfKernel = k < phase.kernels.size();
    double from = begin + config.seconds(command.start);
    double to = begin + config.seconds(command.end);
    if (visit) {
      visit({from, to, traced->commands[c].queue,
             getName(instruction.operation), isOfKernel ? k : UINT32_MAX,
             command.bound, work.dramBytes(), phase.steps, &instruction,
             &work});
    }
    if (!isOfKernel) {
      continue;
    }
    KernelTiming &kernel = phase.kernels[k];
    if (kernel.totals.commands == 0) {
      kernel.start = from;
    }
    kernel.start = std::min(kernel.start, from);
    kernel.end = std::max(kernel.end, to);
    ends[k] = std::max(ends[k], to);
    counter.add(instruction, work, command.energy, kernel.totals);
  }
  double before = begin + config.dispatchSeconds;
  for (size_t k = 0; k < ends.size(); ++k) {
    phase.kernels[k].info = step.kernels[k];
    phase.kernels[k].seconds += std::max(0.0, ends[k] - before);
    before = std::max(before, ends[k]);
  }
  ++phase.steps;
  phase.totals.energy.idle = config.energy.activeWatts * phase.seconds;
  return {};
}

Registers makeRegisters(int64_t position, int64_t tokens, int64_t capacity,
                        int64_t outputs) {
  Registers registers = {};
  registers[kPosition] = position;
  registers[kTokens] = tokens;
  registers[kCapacity] = capacity;
  registers[kOutputs] = outputs;
  return registers;
}

} // namespace

uint64_t WorkTotals::allDramBytes() const {
  return std::accumulate(dramBytes.begin(), dramBytes.end(), uint64_t(0));
}

double WorkTotals::bitsPerWeight() const {
  return streamedWeights == 0
             ? 0
             : 8 * double(dramBytes[unsigned(Region::Weights)]) /
                   double(streamedWeights);
}

Bound KernelTiming::getBound() const {
  auto longest = std::max_element(totals.needed.begin(), totals.needed.end());
  return 2 * *longest < seconds ? Bound::Sync
                                : Bound(longest - totals.needed.begin());
}

Bound PhaseTiming::getBound() const {
  return Bound(std::max_element(busy.begin(), busy.end()) - busy.begin());
}

Result<PhaseTiming> npu::timeDecode(const Config &config,
                                    const StepProgram &step, int64_t position,
                                    int64_t capacity,
                                    const CommandVisitor &visit) {
  PhaseTiming phase;
  phase.tokens = 1;
  Status status = addStep(config, step, makeRegisters(position, 1, capacity, 1),
                          visit, phase);
  if (!status.ok()) {
    return status;
  }
  return phase;
}

Result<PhaseTiming> npu::timePrefill(const Config &config,
                                     const StepProgram &step, int64_t tokens,
                                     int64_t capacity,
                                     const CommandVisitor &visit) {
  PhaseTiming phase;
  phase.tokens = tokens;
  for (int64_t done = 0; done < tokens; done += step.rows) {
    int64_t count = std::min(step.rows, tokens - done);
    Status status =
        addStep(config, step,
                makeRegisters(done, count, capacity, done + count == tokens),
                visit, phase);
    if (!status.ok()) {
      return status;
    }
  }
  return phase;
}
