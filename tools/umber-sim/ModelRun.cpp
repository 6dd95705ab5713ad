// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-sim/ModelRun.h"

#include "runtime/drivers/npu/sim/Executor.h"

#include <algorithm>
#include <cstring>
#include <thread>

namespace umber::tools {

using namespace npu;

ModelRun::ModelRun(const Package &package, const EngineModel &model,
                   int64_t positions, unsigned threads)
    : model(model), machine(model.config),
      workers(threads != 0 ? threads
                           : std::max(1u, std::thread::hardware_concurrency())),
      vocab(package.meta().model()->vocab()), capacity(getCapacity(positions)) {
  const ProgramFile &programs = model.programs;
  uint64_t activationBytes = 0, ioBytes = 0;
  for (const StepProgram &step : programs.steps) {
    activationBytes = std::max(activationBytes, step.activationBytes);
    ioBytes = std::max(ioBytes, step.ioBytes);
  }
  adapters.resize(programs.adapterBytes);
  cache.resize(getCacheBytesPerPosition(*package.meta().cache()) *
               static_cast<uint64_t>(capacity));
  activations.resize(activationBytes);
  io.resize(ioBytes);
  // Programs cannot write to what is read only.
  auto mapped = [&](uint32_t segment) {
    Bytes bytes = package.segment(segment);
    return DramRegion{const_cast<uint8_t *>(bytes.data), bytes.size, true};
  };
  machine.region(Region::Weights) = mapped(*model.weights);
  machine.region(Region::Tables) = mapped(*model.tables);
  machine.region(Region::Adapters) = {adapters.data(), adapters.size(), true};
  machine.region(Region::Cache) = {cache.data(), cache.size(), false};
  machine.region(Region::Activations) = {activations.data(), activations.size(),
                                         false};
  machine.region(Region::Io) = {io.data(), io.size(), false};
}

Status ModelRun::append(const StepProgram &step,
                        const std::vector<int32_t> &tokens, int64_t chunk) {
  for (int32_t token : tokens) {
    if (token < 0 || token >= vocab) {
      return Status(StatusCode::InvalidArgument,
                    "expected tokens from 0 to " + std::to_string(vocab - 1) +
                        ", found " + std::to_string(token));
    }
  }
  int64_t most = chunk > 0 ? std::min(chunk, step.rows) : step.rows;
  auto all = static_cast<int64_t>(tokens.size());
  for (int64_t done = 0; done < all; done += most) {
    int64_t count = std::min(most, all - done);
    std::memcpy(io.data(), &tokens[static_cast<size_t>(done)],
                static_cast<size_t>(4 * count));
    Registers registers = {};
    registers[kPosition] = position;
    registers[kTokens] = count;
    registers[kCapacity] = capacity;
    registers[kOutputs] = 1;
    machine.reset();
    Status status = execute(machine, workers, step.program, registers);
    if (!status.ok()) {
      return Status(status.code(), step.name + ": " + status.message());
    }
    position += count;
  }
  logits.resize(static_cast<size_t>(vocab));
  std::memcpy(logits.data(), io.data() + step.logits, 4 * logits.size());
  return {};
}

} // namespace umber::tools
