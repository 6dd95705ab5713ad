// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/gpu/GpuDriver.h"

#include "runtime/drivers/gpu/Model.h"
#include "runtime/package/Package.h"

using namespace umber;
using namespace umber::gpu;

static Status checkOptions(const LoadOptions &options,
                           const std::string &device) {
  if (options.adapterBits == 8) {
    return Status(StatusCode::InvalidArgument,
                  device + ": adapter_bits: expected 0 or 16, which is what a "
                           "GPU keeps adapters in, found 8");
  }
  return {};
}

Result<DeviceDescription> GpuDriver::describe() const {
  Result<std::string> text = backend.describe(index, deviceName);
  if (!text.ok()) {
    return text.status();
  }
  return DeviceDescription{deviceName, std::move(*text), 1};
}

Result<std::unique_ptr<DeviceModel>>
GpuDriver::load(std::shared_ptr<const Package> package,
                const LoadOptions &options) const {
  if (Status status = checkOptions(options, deviceName); !status.ok()) {
    return status;
  }
  Result<Plan> plan =
      makePlan(*package, options.isa, deviceName, [&](const std::string &isa) {
        return backend.takes(index, isa);
      });
  if (!plan.ok()) {
    return plan.status();
  }
  Result<std::unique_ptr<Device>> device =
      backend.open(index, deviceName, *plan);
  if (!device.ok()) {
    return device.status();
  }
  return createModel(std::move(package), std::move(*plan), std::move(*device));
}

DriverList::DriverList(const Backend &backend) {
  Result<size_t> count = backend.count();
  if (!count.ok()) {
    status = count.status();
    return;
  }
  for (size_t i = 0; i < *count; ++i) {
    drivers.emplace_back(backend, i);
  }
}

Result<std::vector<const Driver *>> DriverList::get() const {
  if (!status.ok()) {
    return status;
  }
  std::vector<const Driver *> list;
  for (const GpuDriver &driver : drivers) {
    list.push_back(&driver);
  }
  return list;
}
