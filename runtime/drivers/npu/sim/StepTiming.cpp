// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/sim/StepTiming.h"

#include "runtime/drivers/npu/sim/Executor.h"

#include <algorithm>

using namespace umber;
using namespace umber::npu;

namespace {

/// More than any model has: time alone does not depend on where data lies.
constexpr uint64_t kRegionBytes = uint64_t(1) << 40;

Status addStep(const Config &config, const StepProgram &step,
               const Registers &registers, PhaseTiming &phase) {
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
  phase.seconds += config.seconds(timing->cycles);
  phase.energy += timing->energy;
  phase.dramBytes += timing->dramBytes;
  phase.dramIdle += config.seconds(timing->dramIdle) - config.dispatchSeconds;
  for (unsigned b = 0; b < kBounds; ++b) {
    phase.busy[b] += config.seconds(timing->resourceBusy[b]);
  }
  phase.commands += traced->commands.size();

  // Marks stand in the program's order, which kernels begin and end in.
  std::vector<uint32_t> kernelOf(step.program.size());
  uint32_t kernel = 0;
  for (size_t i = 0; i < step.program.size(); ++i) {
    const Instruction &instruction = step.program[i];
    const auto *mark = std::get_if<Mark>(&instruction.operation);
    if (mark && instruction.queue == Queue::System) {
      kernel = mark->id;
    }
    kernelOf[i] = kernel;
  }
  phase.kernels.resize(step.kernels.size());
  std::vector<double> ends(step.kernels.size());
  for (size_t c = 0; c < traced->commands.size(); ++c) {
    uint32_t k = kernelOf[traced->instructions[c]];
    if (k >= phase.kernels.size()) {
      continue;
    }
    KernelTiming &to = phase.kernels[k];
    const CommandTiming &command = timing->commands[c];
    const Work &work = traced->commands[c].work;
    ends[k] = std::max(ends[k], command.end);
    to.dramBytes += work.dramBytes();
    to.macs += work.macsF16 + work.macsI8;
    to.joules += command.energy.total();
    ++to.commands;
  }
  double before = 0;
  for (size_t k = 0; k < ends.size(); ++k) {
    phase.kernels[k].name = step.kernels[k];
    phase.kernels[k].seconds += config.seconds(std::max(0.0, ends[k] - before));
    before = std::max(before, ends[k]);
  }
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

Result<PhaseTiming> npu::timeDecode(const Config &config,
                                    const StepProgram &step, int64_t position,
                                    int64_t capacity) {
  PhaseTiming phase;
  phase.tokens = 1;
  Status status =
      addStep(config, step, makeRegisters(position, 1, capacity, 1), phase);
  if (!status.ok()) {
    return status;
  }
  return phase;
}

Result<PhaseTiming> npu::timePrefill(const Config &config,
                                     const StepProgram &step, int64_t tokens,
                                     int64_t capacity) {
  PhaseTiming phase;
  phase.tokens = tokens;
  for (int64_t done = 0; done < tokens; done += step.rows) {
    int64_t count = std::min(step.rows, tokens - done);
    Status status = addStep(
        config, step,
        makeRegisters(done, count, capacity, done + count == tokens), phase);
    if (!status.ok()) {
      return status;
    }
  }
  return phase;
}
