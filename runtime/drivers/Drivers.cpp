// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/Driver.h"
#include "runtime/drivers/cpu/CpuDriver.h"
#ifdef UMBER_DRIVER_CUDA
#include "runtime/drivers/cuda/CudaDriver.h"
#endif
#include "runtime/drivers/null/NullDriver.h"
#ifdef UMBER_DRIVER_NPU
#include "runtime/drivers/npu/driver/NpuDriver.h"
#endif
#ifdef UMBER_DRIVER_VULKAN
#include "runtime/drivers/vulkan/VulkanDriver.h"
#endif

using namespace umber;

namespace {

/// A kind of device of which a machine may have several, which are looked for
/// only when they are asked for: that may take a while.
struct Family {
  const char *prefix; ///< of its devices' names
  /// Its devices' drivers, or why there are none.
  Result<std::vector<const Driver *>> (*find)();
};

const std::vector<Family> &families() {
  static const std::vector<Family> all = {
#ifdef UMBER_DRIVER_CUDA
      {"cuda:", cudaDrivers},
#endif
#ifdef UMBER_DRIVER_VULKAN
      {"vulkan:", vulkanDrivers},
#endif
  };
  return all;
}

// Without state, so that being shared by everybody is harmless.
const CpuDriver cpu;
#ifdef UMBER_DRIVER_NPU
const NpuDriver npu;
#endif
const NullDriver null;

/// Those that every machine has, the default one first.
const Driver *const fixed[] = {
    &cpu,
#ifdef UMBER_DRIVER_NPU
    &npu,
#endif
    &null,
};

} // namespace

std::vector<const Driver *> umber::allDrivers() {
  std::vector<const Driver *> all = {&cpu};
  for (const Family &family : families()) {
    Result<std::vector<const Driver *>> found = family.find();
    if (found.ok()) {
      all.insert(all.end(), found->begin(), found->end());
    }
  }
#ifdef UMBER_DRIVER_NPU
  all.push_back(&npu);
#endif
  all.push_back(&null);
  return all;
}

Result<FoundDriver> umber::findDriver(const std::string &name) {
  size_t colon = name.find(':');
  std::string base = name.substr(0, colon);
  for (const Driver *driver : fixed) {
    if (name.empty() || base == driver->name()) {
      if (colon != std::string::npos && !driver->hasVariants()) {
        return Status(StatusCode::InvalidArgument,
                      "device: expected " + base + " alone, found " + name);
      }
      return FoundDriver{driver, colon == std::string::npos
                                     ? std::string()
                                     : name.substr(colon + 1)};
    }
  }
  for (const Family &family : families()) {
    if (name.rfind(family.prefix, 0) == 0) {
      Result<std::vector<const Driver *>> found = family.find();
      if (!found.ok()) {
        return found.status();
      }
    }
  }
  std::string names;
  for (const Driver *driver : allDrivers()) {
    if (name == driver->name()) {
      return FoundDriver{driver, std::string()};
    }
    names += (names.empty() ? "" : ", ") + std::string(driver->name());
  }
  return Status(StatusCode::NotFound,
                "no device is called " + name + "; there are: " + names);
}
