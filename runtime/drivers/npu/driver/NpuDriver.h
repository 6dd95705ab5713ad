// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Neural engines as a device: runs the target `npu:ENGINE` of a package on the
// functional simulator.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_DRIVER_NPUDRIVER_H
#define UMBER_RUNTIME_DRIVERS_NPU_DRIVER_NPUDRIVER_H

#include "runtime/drivers/Driver.h"

namespace umber {

class NpuDriver : public Driver {
public:
  const char *name() const override { return "npu"; }
  /// `npu` alone is the package's only engine, `npu:ENGINE` one of several.
  bool hasVariants() const override { return true; }
  Result<DeviceDescription> describe() const override;
  Result<std::unique_ptr<DeviceModel>>
  load(std::shared_ptr<const Package> package,
       const LoadOptions &options) const override;
};

} // namespace umber

#endif // UMBER_RUNTIME_DRIVERS_NPU_DRIVER_NPUDRIVER_H
