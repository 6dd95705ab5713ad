// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A simulated engine that the sessions of a model share.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_DRIVER_DEVICE_H
#define UMBER_RUNTIME_DRIVERS_NPU_DRIVER_DEVICE_H

#include "runtime/drivers/npu/driver/Plan.h"
#include "runtime/drivers/npu/isa/Expander.h"
#include "runtime/drivers/npu/sim/Machine.h"
#include "runtime/drivers/npu/sim/Workers.h"

#include <mutex>

namespace umber::npu {

/// What a session has of its own in the engine's memory.
struct SessionRegions {
  DramRegion adapters;
  DramRegion cache;
  DramRegion io;
};

/// One engine: one program at a time, whichever thread asks.
class Device {
public:
  /// The plan outlives it. InvalidArgument for a number of threads,
  /// OutOfMemory.
  static Result<std::unique_ptr<Device>> create(const Plan &plan,
                                                int32_t threads);

  /// Runs a program to its end. CorruptFile, `program NAME: instruction N
  /// (NAME): expected …, found …`, where it does what it may not.
  Status run(const StepProgram &step, const Registers &registers,
             const SessionRegions &session);

private:
  Device(const Plan &plan, int32_t threads);

  std::mutex mutex;
  Machine machine;
  Workers workers;
  HostMemory activations; // nothing of them outlives a program
};

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_DRIVER_DEVICE_H
