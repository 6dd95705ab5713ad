// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A package's kernels as a device runs them.

#ifndef UMBER_RUNTIME_DRIVERS_VULKAN_PIPELINES_H
#define UMBER_RUNTIME_DRIVERS_VULKAN_PIPELINES_H

#include "runtime/drivers/gpu/Plan.h"
#include "runtime/drivers/vulkan/SpirvModule.h"
#include "runtime/drivers/vulkan/Vulkan.h"

#include <map>

namespace umber::vulkan {

/// Whether the module has what the plan's dispatches run, and the device enough
/// of everything for them. CorruptFile and Unsupported; `name` is the device's.
Status checkKernels(const gpu::Plan &plan, const SpirvModule &module,
                    const VkPhysicalDeviceLimits &limits,
                    const std::string &name);

class Pipelines {
public:
  /// The bindings of a kernel's descriptor sets.
  struct Bindings {
    uint32_t buffers = 0;                  ///< of set 0: storage buffers
    std::set<uint32_t> texels[kTexelSets]; ///< of those behind it

    bool operator<(const Bindings &other) const;
    /// Sets that there are: one, if no texels are read.
    uint32_t sets() const;
  };

  struct Kernel {
    VkPipeline pipeline;
    VkPipelineLayout layout;
    const Bindings &bindings;
    const std::vector<VkDescriptorSetLayout> &sets;
  };

  /// All that some dispatch runs, compiled by the device's driver together.
  static Result<Pipelines> create(VkDevice device, const std::string &name,
                                  const gpu::Plan &plan,
                                  const SpirvModule &module);

  /// By its number in the plan.
  Kernel at(uint32_t kernel) const;

private:
  /// Of all kernels with the same bindings.
  struct Layout {
    std::vector<Owned<VkDescriptorSetLayout>> owned;
    std::vector<VkDescriptorSetLayout> sets;
    Owned<VkPipelineLayout> pipeline;
  };

  Status addLayout(VkDevice device, const std::string &name,
                   const Bindings &bindings);

  std::map<Bindings, Layout> layouts;
  std::vector<Bindings> bindings; // of each kernel
  std::vector<Owned<VkPipeline>> pipelines;
};

} // namespace umber::vulkan

#endif // UMBER_RUNTIME_DRIVERS_VULKAN_PIPELINES_H
