// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/driver/State.h"

#include <algorithm>
#include <cstring>

using namespace umber;
using namespace umber::npu;

static DramRegion regionOf(const HostMemory &memory, bool isReadOnly = false) {
  return {reinterpret_cast<uint8_t *>(memory.data()), memory.size(),
          isReadOnly};
}

Result<std::unique_ptr<DeviceState>> State::create(const Plan &plan,
                                                   Device &device,
                                                   AdapterImages &images,
                                                   int32_t capacity) {
  std::unique_ptr<State> state(new State(plan, device, images));
  auto cache = Cache::create(plan.cache, capacity);
  if (!cache.ok()) {
    return cache.status();
  }
  uint64_t bytes = 0;
  for (const StepProgram &step : plan.model.programs.steps) {
    bytes = std::max(bytes, step.ioBytes);
  }
  auto io = HostMemory::allocate(bytes, "token ids and logits");
  if (!io.ok()) {
    return io.status();
  }
  state->cache = std::move(*cache);
  state->io = std::move(*io);
  if (Status status = state->setAdapters({}); !status.ok()) {
    return status;
  }
  return std::unique_ptr<DeviceState>(std::move(state));
}

Status State::run(const Step &step, const float **logits) {
  const StepProgram &program = plan.getStep(step.tokens);
  if (step.position < end) {
    cache.clearScales(step.position, end);
  }
  end = step.position + step.tokens;
  // Rows of padding are computed, too: of a token that there is.
  std::memcpy(io.data(), step.ids, step.tokens * sizeof *step.ids);
  std::memset(io.data() + step.tokens * sizeof *step.ids, 0,
              (program.rows - step.tokens) * sizeof *step.ids);
  Registers registers = {};
  registers[kPosition] = step.position;
  registers[kTokens] = step.tokens;
  registers[kCapacity] = cache.capacity();
  registers[kOutputs] = step.outputs;
  Status status = device.run(program, registers,
                             {regionOf(adapters->memory, /*isReadOnly=*/true),
                              cache.region(), regionOf(io)});
  if (!status.ok()) {
    return Status(status.code(), "target " + plan.model.target->name()->str() +
                                     ": " + status.message());
  }
  *logits = reinterpret_cast<const float *>(io.data() + program.logits);
  return {};
}

Status State::setAdapters(std::vector<ActiveAdapter> active) {
  auto image = images.get(std::move(active));
  if (!image.ok()) {
    return image.status();
  }
  adapters = std::move(*image);
  return {};
}

Status State::readCache(int32_t positions, void *out) const {
  cache.pack(positions, static_cast<char *>(out));
  return {};
}

Status State::writeCache(int32_t positions, const void *in) {
  cache.unpack(positions, static_cast<const char *>(in));
  end = std::max(end, positions);
  return {};
}
