// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_RUNTIME_DRIVERS_NPU_ENERGY_H
#define UMBER_RUNTIME_DRIVERS_NPU_ENERGY_H

#include "runtime/drivers/npu/Command.h"
#include "runtime/drivers/npu/Config.h"

namespace umber::npu {

/// In joules, by what takes it.
struct Energy {
  double memory = 0;  ///< DRAM and scratchpad
  double compute = 0; ///< products
  double vector = 0;  ///< the vector unit's elements
  double idle = 0; ///< what the engine takes while it is on, whatever it does

  double total() const { return memory + compute + vector + idle; }
  Energy &operator+=(const Energy &other);
};

/// What a work takes beside the engine's static power: the sum of its events.
/// `dramBytes` are those moved, with what fills up bursts.
Energy getEnergy(const Work &work, uint64_t dramBytes,
                 const EnergyConfig &config);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_ENERGY_H
