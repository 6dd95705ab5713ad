// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/Driver.h"
#include "runtime/drivers/cpu/CpuDriver.h"
#include "runtime/drivers/null/NullDriver.h"

using namespace umber;

std::vector<const Driver *> umber::allDrivers() {
  // Without state, so that being shared by everybody is harmless.
  static const CpuDriver cpu;
  static const NullDriver null;
  return {&cpu, &null};
}

Result<const Driver *> umber::findDriver(const std::string &name) {
  std::string names;
  for (const Driver *driver : allDrivers()) {
    if (name.empty() || name == driver->name()) {
      return driver;
    }
    names += (names.empty() ? "" : ", ") + std::string(driver->name());
  }
  return Status(StatusCode::NotFound,
                "no device is called " + name + "; there are: " + names);
}
