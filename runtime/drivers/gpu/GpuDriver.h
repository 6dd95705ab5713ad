// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A driver for each GPU that an API reaches: "cuda:0" and so on.

#ifndef UMBER_RUNTIME_DRIVERS_GPU_GPUDRIVER_H
#define UMBER_RUNTIME_DRIVERS_GPU_GPUDRIVER_H

#include "runtime/drivers/Driver.h"
#include "runtime/drivers/gpu/Device.h"
#include "runtime/drivers/gpu/Plan.h"

#include <deque>

namespace umber::gpu {

/// What an API has to say before a device is open. Devices have numbers, from 0
/// on, in the API's order; `name` is that of one as users know it.
class Backend {
public:
  virtual ~Backend() = default;

  /// Of all devices' names, such as "cuda:".
  virtual const char *prefix() const = 0;
  /// How many devices there are, at least one, or why there are none.
  virtual Result<size_t> count() const = 0;
  /// A line for people.
  virtual Result<std::string> describe(size_t index,
                                       const std::string &name) const = 0;
  /// Whether the device runs code for this instruction set.
  virtual bool takes(size_t index, const std::string &isa) const = 0;
  /// Opens the device and compiles the plan's kernels for it.
  virtual Result<std::unique_ptr<Device>>
  open(size_t index, const std::string &name, const Plan &plan) const = 0;
};

/// One device.
class GpuDriver : public Driver {
public:
  /// The backend outlives the driver.
  GpuDriver(const Backend &backend, size_t index)
      : backend(backend), index(index),
        deviceName(backend.prefix() + std::to_string(index)) {}

  const char *name() const override { return deviceName.c_str(); }
  Result<DeviceDescription> describe() const override;
  Result<std::unique_ptr<DeviceModel>>
  load(std::shared_ptr<const Package> package,
       const LoadOptions &options) const override;

private:
  const Backend &backend;
  size_t index;
  std::string deviceName;
};

/// The drivers of a backend's devices, which live as long as this.
class DriverList {
public:
  /// The backend outlives the list.
  explicit DriverList(const Backend &backend);

  /// The backend's reason if it has no devices.
  Result<std::vector<const Driver *>> get() const;

private:
  Status status;
  std::deque<GpuDriver> drivers;
};

} // namespace umber::gpu

#endif // UMBER_RUNTIME_DRIVERS_GPU_GPUDRIVER_H
