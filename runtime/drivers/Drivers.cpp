// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/Driver.h"
#include "runtime/drivers/cpu/CpuDriver.h"
#include "runtime/drivers/null/NullDriver.h"
#ifdef UMBER_DRIVER_NPU
#include "runtime/drivers/npu/driver/NpuDriver.h"
#endif

using namespace umber;

std::vector<const Driver *> umber::allDrivers() {
  // Without state, so that being shared by everybody is harmless.
  static const CpuDriver cpu;
#ifdef UMBER_DRIVER_NPU
  static const NpuDriver npu;
#endif
  static const NullDriver null;
  return {
      &cpu,
#ifdef UMBER_DRIVER_NPU
      &npu,
#endif
      &null,
  };
}

Result<FoundDriver> umber::findDriver(const std::string &name) {
  size_t colon = name.find(':');
  std::string base = name.substr(0, colon), names;
  for (const Driver *driver : allDrivers()) {
    if (name.empty() || base == driver->name()) {
      if (colon != std::string::npos && !driver->hasVariants()) {
        return Status(StatusCode::InvalidArgument,
                      "device: expected " + base + " alone, found " + name);
      }
      return FoundDriver{driver, colon == std::string::npos
                                     ? std::string()
                                     : name.substr(colon + 1)};
    }
    names += (names.empty() ? "" : ", ") + std::string(driver->name());
  }
  return Status(StatusCode::NotFound,
                "no device is called " + name + "; there are: " + names);
}
