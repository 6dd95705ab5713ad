// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/Energy.h"

using namespace umber;
using namespace umber::npu;

Energy &Energy::operator+=(const Energy &other) {
  memory += other.memory;
  compute += other.compute;
  vector += other.vector;
  idle += other.idle;
  return *this;
}

Energy npu::getEnergy(const Work &work, uint64_t dramBytes,
                      const EnergyConfig &config) {
  constexpr double kPico = 1e-12;
  auto events = [](uint64_t count, double picojoules) {
    return static_cast<double>(count) * picojoules * kPico;
  };
  Energy energy;
  energy.memory = events(dramBytes, config.dramByte) +
                  events(work.scratchpadBytes, config.scratchpadByte);
  energy.compute =
      events(work.macsF16, config.macF16) + events(work.macsI8, config.macI8);
  energy.vector = events(work.vectorElements, config.vectorElement);
  return energy;
}
