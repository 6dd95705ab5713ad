// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The skeleton of a driver. It runs any package on any machine and computes
// nothing: its logits are a fixed function of the tokens so far. README.md says
// how to grow it into a driver for a real device.

#ifndef UMBER_RUNTIME_DRIVERS_NULL_NULLDRIVER_H
#define UMBER_RUNTIME_DRIVERS_NULL_NULLDRIVER_H

#include "runtime/drivers/Driver.h"

namespace umber {

class NullDriver : public Driver {
public:
  const char *name() const override { return "null"; }
  Result<DeviceDescription> describe() const override;
  Result<std::unique_ptr<DeviceModel>>
  load(std::shared_ptr<const Package> package,
       const LoadOptions &options) const override;
};

} // namespace umber

#endif // UMBER_RUNTIME_DRIVERS_NULL_NULLDRIVER_H
