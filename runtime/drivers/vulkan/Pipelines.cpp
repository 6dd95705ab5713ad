// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/vulkan/Pipelines.h"

#include "runtime/drivers/gpu/Device.h"

#include <algorithm>

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
  if (limits.minStorageBufferOffsetAlignment > gpu::kRangeAlignment) {
    return Status(StatusCode::Unsupported,
                  name + ": the device wants buffers at multiples of " +
                      std::to_string(limits.minStorageBufferOffsetAlignment) +
                      " bytes, packages have them at multiples of " +
                      std::to_string(gpu::kRangeAlignment));
  }
  return {};
}

Status Pipelines::addLayout(VkDevice device, const std::string &name,
                            uint32_t bindings) {
  if (layouts.count(bindings) != 0) {
    return {};
  }
  Layout layout = {
      Owned<VkDescriptorSetLayout>(device, vkDestroyDescriptorSetLayout),
      Owned<VkPipelineLayout>(device, vkDestroyPipelineLayout)};
  std::vector<VkDescriptorSetLayoutBinding> slots(bindings);
  for (uint32_t i = 0; i < bindings; ++i) {
    slots[i] = {i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1,
                VK_SHADER_STAGE_COMPUTE_BIT, nullptr};
  }
  VkDescriptorSetLayoutCreateInfo set = {
      VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO};
  set.bindingCount = bindings;
  set.pBindings = slots.data();
  VkResult result =
      vkCreateDescriptorSetLayout(device, &set, nullptr, layout.set.out());
  VkDescriptorSetLayout handle = layout.set.get();
  VkPipelineLayoutCreateInfo pipeline = {
      VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
  pipeline.setLayoutCount = 1;
  pipeline.pSetLayouts = &handle;
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
    made.bindings.push_back(kernel.bindings);
    made.pipelines.emplace_back(device, vkDestroyPipeline);
    if (kernel.threads == 0) {
      continue;
    }
    if (Status status = made.addLayout(device, name, kernel.bindings);
        !status.ok()) {
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
    pipeline.layout = made.layouts[kernel.bindings].pipeline.get();
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
  return {pipelines[kernel].get(), layout.pipeline.get(), layout.set.get()};
}
