// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/sim/Machine.h"

#include <algorithm>

using namespace umber;
using namespace umber::npu;

Machine::Machine(const Config &config, bool hasMemory)
    : config(config), kernelSlots(static_cast<size_t>(
                          std::max<int64_t>(0, config.kernelBuffer.slots))) {
  if (hasMemory) {
    scratchpad.resize(scratchpadBytes());
  }
}

bool Machine::isReadOnly(Region region) const {
  return region == Region::Weights || region == Region::Adapters ||
         region == Region::Tables || regions[unsigned(region)].isReadOnly;
}

uint64_t Machine::scratchpadBytes() const {
  return static_cast<uint64_t>(config.scratchpad.bytes);
}

uint64_t Machine::kernelSlotBytes() const {
  return static_cast<uint64_t>(config.kernelBuffer.bytes) /
         std::max<size_t>(1, kernelSlots.size());
}

const char *npu::getName(Region region) {
  constexpr const char *kNames[kRegions] = {
      "code", "weights", "adapters", "tables", "cache", "activations", "io"};
  return kNames[unsigned(region)];
}

const char *npu::getName(DataType type) {
  constexpr const char *kNames[] = {"i8", "i32", "f16", "f32"};
  return kNames[unsigned(type)];
}
