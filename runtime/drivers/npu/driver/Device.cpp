// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/driver/Device.h"

#include "runtime/drivers/npu/sim/Executor.h"

#include <algorithm>

using namespace umber;
using namespace umber::npu;

namespace {

constexpr int32_t kMostThreads = 256;

/// Instructions of a step. Models' take a hundredth of it; a program that would
/// never end does so in a second.
constexpr uint64_t kMostInstructions = uint64_t(1) << 24;

/// The machine refuses to write to it.
DramRegion readOnly(Bytes bytes) {
  return {const_cast<uint8_t *>(bytes.data), bytes.size, /*isReadOnly=*/true};
}

} // namespace

Device::Device(const Plan &plan, int32_t threads)
    : machine(plan.model.config), workers(static_cast<unsigned>(threads)) {
  machine.region(Region::Weights) = readOnly(plan.weights);
  machine.region(Region::Tables) = readOnly(plan.tables);
}

Result<std::unique_ptr<Device>> Device::create(const Plan &plan,
                                               int32_t threads) {
  if (threads < 1 || threads > kMostThreads) {
    return Status(StatusCode::InvalidArgument,
                  "threads must be 1 to " + std::to_string(kMostThreads) +
                      ", not " + std::to_string(threads));
  }
  uint64_t bytes = 0;
  for (const StepProgram &step : plan.model.programs.steps) {
    bytes = std::max(bytes, step.activationBytes);
  }
  auto activations = HostMemory::allocate(bytes, "activations");
  if (!activations.ok()) {
    return activations.status();
  }
  std::unique_ptr<Device> device(new Device(plan, threads));
  device->activations = std::move(*activations);
  device->machine.region(Region::Activations) = {
      reinterpret_cast<uint8_t *>(device->activations.data()), bytes};
  return device;
}

Status Device::run(const StepProgram &step, const Registers &registers,
                   const SessionRegions &session) {
  std::lock_guard<std::mutex> lock(mutex);
  machine.region(Region::Adapters) = session.adapters;
  machine.region(Region::Cache) = session.cache;
  machine.region(Region::Io) = session.io;
  Status status =
      execute(machine, workers, step.program, registers, kMostInstructions);
  if (status.ok()) {
    return {};
  }
  // To programs a mistake is an argument's, to us the file's.
  return Status(status.code() == StatusCode::InvalidArgument
                    ? StatusCode::CorruptFile
                    : status.code(),
                "program " + step.name + ": " + status.message());
}
