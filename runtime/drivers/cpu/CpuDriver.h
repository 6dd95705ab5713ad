// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The processor as a device: the package's "cpu" target.

#ifndef UMBER_RUNTIME_DRIVERS_CPU_CPUDRIVER_H
#define UMBER_RUNTIME_DRIVERS_CPU_CPUDRIVER_H

#include "runtime/drivers/Driver.h"

namespace umber {

class CpuDriver : public Driver {
public:
  const char *name() const override { return "cpu"; }
  Result<DeviceDescription> describe() const override;
  Result<std::unique_ptr<DeviceModel>>
  load(std::shared_ptr<const Package> package,
       const LoadOptions &options) const override;
};

} // namespace umber

#endif // UMBER_RUNTIME_DRIVERS_CPU_CPUDRIVER_H
