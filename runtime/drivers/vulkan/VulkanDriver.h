// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GPUs through Vulkan: the package's "gpu" target, of which they take SPIR-V.

#ifndef UMBER_RUNTIME_DRIVERS_VULKAN_VULKANDRIVER_H
#define UMBER_RUNTIME_DRIVERS_VULKAN_VULKANDRIVER_H

#include "runtime/drivers/Driver.h"

namespace umber {

/// One device, "vulkan:0" and so on in the loader's order.
class VulkanDriver : public Driver {
public:
  explicit VulkanDriver(size_t index)
      : index(index), deviceName("vulkan:" + std::to_string(index)) {}

  const char *name() const override { return deviceName.c_str(); }
  Result<DeviceDescription> describe() const override;
  Result<std::unique_ptr<DeviceModel>>
  load(std::shared_ptr<const Package> package,
       const LoadOptions &options) const override;

  /// How many devices there are, or why there are none.
  static Result<size_t> count();

private:
  size_t index;
  std::string deviceName;
};

} // namespace umber

#endif // UMBER_RUNTIME_DRIVERS_VULKAN_VULKANDRIVER_H
