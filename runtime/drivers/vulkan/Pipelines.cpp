// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/vulkan/Pipelines.h"

#include "runtime/drivers/gpu/Device.h"

#include <algorithm>
#include <tuple>

using namespace umber;
using namespace umber::vulkan;

namespace {

Status checkKernel(const gpu::PlannedKernel &kernel,
                   const SpirvModule &module) {
  std::string where = "target gpu: kernel " + kernel.name;
  auto found = module.entries.find(kernel.name);
  if (found == module.entries.end()) {
    return Status(StatusCode::CorruptFile,
                  where + ": the SPIR-V module has no such entry point");
  }
  const SpirvEntry &entry = found->second;
  if (entry.threads[0] != kernel.threads || entry.threads[1] != 1 ||
      entry.threads[2] != 1) {
    return Status(StatusCode::CorruptFile,
                  where + ": expected workgroups of " +
                      std::to_string(kernel.threads) +
                      "x1x1 threads, as its dispatches have, found " +
                      std::to_string(entry.threads[0]) + "x" +
                      std::to_string(entry.threads[1]) + "x" +
                      std::to_string(entry.threads[2]));
  }
  if (entry.bindings > kernel.bindings) {
    return Status(StatusCode::CorruptFile,
                  where + ": expected bindings below " +
                      std::to_string(kernel.bindings) +
                      ", which its dispatches have, found " +
                      std::to_string(entry.bindings - 1));
  }
  return {};
}

} // namespace

Status umber::vulkan::checkKernels(const gpu::Plan &plan,
                                   const SpirvModule &module,
                                   const VkPhysicalDeviceLimits &limits,
                                   const std::string &name) {
  auto missing = [&](const std::string &where, const std::string &what,
                     uint64_t has) {
    return Status(StatusCode::Unsupported, name + ": " + where + " needs " +
                                               what + ", the device has " +
                                               std::to_string(has));
  };
  uint32_t mostThreads = std::min(limits.maxComputeWorkGroupInvocations,
                                  limits.maxComputeWorkGroupSize[0]);
  uint32_t mostBindings = std::min(limits.maxPerStageDescriptorStorageBuffers,
                                   limits.maxDescriptorSetStorageBuffers);
  uint32_t mostTexels = std::min(limits.maxPerStageDescriptorSampledImages,
                                 limits.maxDescriptorSetSampledImages);
  for (const gpu::PlannedKernel &kernel : plan.kernels) {
    if (kernel.threads == 0) {
      continue;
    }
    if (Status status = checkKernel(kernel, module); !status.ok()) {
      return status;
    }
    std::string where = "kernel " + kernel.name;
    if (kernel.threads > mostThreads) {
      return missing(
          where, "workgroups of " + std::to_string(kernel.threads) + " threads",
          mostThreads);
    }
    uint64_t shared = module.entries.at(kernel.name).workgroupBytes;
    if (shared > limits.maxComputeSharedMemorySize) {
      return missing(where,
                     std::to_string(shared) + " bytes of a workgroup's memory",
                     limits.maxComputeSharedMemorySize);
    }
    if (kernel.bindings > mostBindings) {
      return missing(where, std::to_string(kernel.bindings) + " buffers",
                     mostBindings);
    }
    size_t texels = 0;
    for (const std::set<uint32_t> &set :
         module.entries.at(kernel.name).texels) {
      texels += set.size();
    }
    if (texels > mostTexels) {
      return missing(where, std::to_string(texels) + " texel buffers",
                     mostTexels);
    }
  }
  for (const gpu::PlannedProgram &program : plan.programs) {
    for (const gpu::PlannedDispatch &dispatch : program.dispatches) {
      const fbs::Grid &grid = dispatch.grid;
      uint32_t extents[] = {grid.x(), grid.y(), grid.z()};
      for (int axis = 0; axis < 3; ++axis) {
        if (extents[axis] > limits.maxComputeWorkGroupCount[axis]) {
          return missing("dispatch " + dispatch.name,
                         std::to_string(extents[axis]) + " workgroups",
                         limits.maxComputeWorkGroupCount[axis]);
        }
      }
    }
  }
  VkDeviceSize alignment = limits.minStorageBufferOffsetAlignment;
  if (module.readsTexels()) {
    alignment = std::max(alignment, limits.minTexelBufferOffsetAlignment);
  }
  if (alignment > gpu::kRangeAlignment) {
    return Status(StatusCode::Unsupported,
                  name + ": the device wants buffers at multiples of " +
                      std::to_string(alignment) +
                      " bytes, packages have them at multiples of " +
                      std::to_string(gpu::kRangeAlignment));
  }
  return {};
}

bool Pipelines::Bindings::operator<(const Bindings &other) const {
  return std::tie(buffers, texels[0], texels[1]) <
         std::tie(other.buffers, other.texels[0], other.texels[1]);
}

uint32_t Pipelines::Bindings::sets() const {
  bool readsTexels =
      std::any_of(std::begin(texels), std::end(texels),
                  [](const std::set<uint32_t> &set) { return !set.empty(); });
  return readsTexels ? 1 + kTexelSets : 1;
}

Status Pipelines::addLayout(VkDevice device, const std::string &name,
                            const Bindings &bindings) {
  if (layouts.count(bindings) != 0) {
    return {};
  }
  Layout layout;
  layout.pipeline = Owned<VkPipelineLayout>(device, vkDestroyPipelineLayout);
  VkResult result = VK_SUCCESS;
  for (uint32_t i = 0; i < bindings.sets() && result == VK_SUCCESS; ++i) {
    std::vector<VkDescriptorSetLayoutBinding> slots;
    auto add = [&](uint32_t binding, VkDescriptorType type) {
      slots.push_back({binding, type, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr});
    };
    for (uint32_t buffer = 0; i == 0 && buffer < bindings.buffers; ++buffer) {
      add(buffer, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER);
    }
    if (i > 0) {
      for (uint32_t buffer : bindings.texels[i - 1]) {
        add(buffer, VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER);
      }
    }
    VkDescriptorSetLayoutCreateInfo set = {
        VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO};
    set.bindingCount = uint32_t(slots.size());
    set.pBindings = slots.data();
    layout.owned.emplace_back(device, vkDestroyDescriptorSetLayout);
    result = vkCreateDescriptorSetLayout(device, &set, nullptr,
                                         layout.owned.back().out());
    layout.sets.push_back(layout.owned.back().get());
  }
  VkPipelineLayoutCreateInfo pipeline = {
      VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
  pipeline.setLayoutCount = uint32_t(layout.sets.size());
  pipeline.pSetLayouts = layout.sets.data();
  if (result == VK_SUCCESS) {
    result = vkCreatePipelineLayout(device, &pipeline, nullptr,
                                    layout.pipeline.out());
  }
  if (result != VK_SUCCESS) {
    return failure(result, name + ": cannot create a pipeline's layout");
  }
  layouts.emplace(bindings, std::move(layout));
  return {};
}

Result<Pipelines> Pipelines::create(VkDevice device, const std::string &name,
                                    const gpu::Plan &plan,
                                    const SpirvModule &module) {
  Pipelines made;
  std::vector<Owned<VkShaderModule>> modules;
  std::vector<VkComputePipelineCreateInfo> infos;
  std::vector<uint32_t> used;
  for (const gpu::PlannedKernel &kernel : plan.kernels) {
    made.bindings.push_back({kernel.bindings});
    made.pipelines.emplace_back(device, vkDestroyPipeline);
    if (kernel.threads == 0) {
      continue;
    }
    Bindings &bindings = made.bindings.back();
    const SpirvEntry &entry = module.entries.at(kernel.name);
    std::copy(std::begin(entry.texels), std::end(entry.texels),
              std::begin(bindings.texels));
    if (Status status = made.addLayout(device, name, bindings); !status.ok()) {
      return status;
    }
    std::vector<uint32_t> words = module.extract(kernel.name);
    VkShaderModuleCreateInfo info = {
        VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO};
    info.codeSize = words.size() * sizeof words[0];
    info.pCode = words.data();
    modules.emplace_back(device, vkDestroyShaderModule);
    VkResult loaded =
        vkCreateShaderModule(device, &info, nullptr, modules.back().out());
    if (loaded != VK_SUCCESS) {
      return failure(loaded, name + ": cannot load kernel " + kernel.name);
    }
    VkComputePipelineCreateInfo pipeline = {
        VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO};
    pipeline.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
    pipeline.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
    pipeline.stage.module = modules.back().get();
    pipeline.stage.pName = kernel.name.c_str();
    pipeline.layout = made.layouts.at(bindings).pipeline.get();
    infos.push_back(pipeline);
    used.push_back(uint32_t(made.pipelines.size() - 1));
  }
  Owned<VkPipelineCache> cache(device, vkDestroyPipelineCache);
  VkPipelineCacheCreateInfo cacheInfo = {
      VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
  VkResult result =
      vkCreatePipelineCache(device, &cacheInfo, nullptr, cache.out());
  std::vector<VkPipeline> handles(infos.size());
  if (result == VK_SUCCESS) {
    result =
        vkCreateComputePipelines(device, cache.get(), uint32_t(infos.size()),
                                 infos.data(), nullptr, handles.data());
  }
  // Those that were made before one failed are owned, too.
  for (size_t i = 0; i < used.size(); ++i) {
    *made.pipelines[used[i]].out() = handles[i];
  }
  if (result != VK_SUCCESS) {
    return failure(result, name + ": cannot compile the kernels");
  }
  return made;
}

Pipelines::Kernel Pipelines::at(uint32_t kernel) const {
  const Layout &layout = layouts.at(bindings[kernel]);
  return {pipelines[kernel].get(), layout.pipeline.get(), bindings[kernel],
          layout.sets};
}
