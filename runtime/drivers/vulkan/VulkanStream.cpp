// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One session's commands on a Vulkan device.

#include "runtime/drivers/vulkan/VulkanDevice.h"

#include <cstring>
#include <map>
#include <tuple>

using namespace umber;
using namespace umber::vulkan;

namespace {

class VulkanStream : public gpu::Stream {
public:
  /// The device outlives the stream, which is of use after allocate().
  explicit VulkanStream(VulkanDevice &device) : device(device) {}
  Status allocate(uint64_t inputBytes, uint64_t resultBytes);

  Result<std::unique_ptr<gpu::Recording>>
  record(const std::vector<gpu::Launch> &launches, const gpu::Range &input,
         bool isTimed) override;
  Status run(gpu::Recording &recording, const void *input,
             const gpu::Range &result, const void **output) override;
  Status readTimes(const gpu::Recording &recording,
                   std::vector<uint64_t> &nanoseconds) override;

private:
  class Recorded;

  /// The descriptor sets of each launch.
  using Sets = std::vector<std::vector<VkDescriptorSet>>;

  Status createSets(const std::vector<gpu::Launch> &launches,
                    Recorded &recording, Sets &sets);
  /// A range's texels as a descriptor set has them, of a word or of four.
  Result<VkBufferView> viewOf(const gpu::Range &range, uint32_t set,
                              Recorded &recording);
  Status recordCommands(const std::vector<gpu::Launch> &launches,
                        const Sets &sets, Recorded &recording);
  /// Makes readBack copy these bytes of a buffer.
  Status recordReadBack(const PoolBuffer &buffer, const gpu::Range &result);

  VulkanDevice &device;
  Commands commands;
  // Unless the host sees the device's memory: where both see a step's input and
  // its result, and the commands that copy the latter.
  std::unique_ptr<PoolBuffer> inputWindow, resultWindow;
  VkCommandBuffer readBack = VK_NULL_HANDLE;
  gpu::Range readBackRange;
};

} // namespace

/// A command buffer with the descriptor sets that it binds.
class VulkanStream::Recorded : public gpu::Recording {
public:
  Recorded(VulkanStream &stream, VkCommandBuffer buffer,
           const gpu::Range &input)
      : stream(stream), buffer(buffer), input(input) {}
  ~Recorded() override { stream.commands.free(buffer); }

  VulkanStream &stream;
  VkCommandBuffer buffer;
  gpu::Range input;
  /// By buffer, offset, bytes and descriptor set.
  std::map<std::tuple<VkBuffer, uint64_t, uint64_t, uint32_t>,
           Owned<VkBufferView>>
      views;
  Owned<VkDescriptorPool> sets;
  Owned<VkQueryPool> timestamps; // one before all launches, one after each
  uint32_t timestampCount = 0;   // 0: not timed
};

static const PoolBuffer &cast(const gpu::Buffer *buffer) {
  return *static_cast<const PoolBuffer *>(buffer);
}

Status VulkanStream::allocate(uint64_t inputBytes, uint64_t resultBytes) {
  Result<Commands> made = Commands::create(device.commandQueue());
  if (!made.ok()) {
    return made.status();
  }
  commands = std::move(*made);
  Pool *staging = device.stagingPool();
  if (!staging) {
    return {};
  }
  Result<VkCommandBuffer> buffer = commands.allocate();
  if (!buffer.ok()) {
    return buffer.status();
  }
  readBack = *buffer;
  Result<std::unique_ptr<PoolBuffer>> input =
      staging->allocate(inputBytes, "copies of token ids");
  if (!input.ok()) {
    return input.status();
  }
  inputWindow = std::move(*input);
  Result<std::unique_ptr<PoolBuffer>> result =
      staging->allocate(resultBytes, "copies of logits");
  if (!result.ok()) {
    return result.status();
  }
  resultWindow = std::move(*result);
  return {};
}

Result<VkBufferView> VulkanStream::viewOf(const gpu::Range &range, uint32_t set,
                                          Recorded &recording) {
  const PoolBuffer &buffer = cast(range.buffer);
  uint64_t texelBytes = set == kVectorTexels ? 16 : 4;
  uint64_t texels = range.bytes / texelBytes;
  VkBufferViewCreateInfo info = {VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO};
  info.buffer = buffer.handle();
  info.format =
      set == kVectorTexels ? VK_FORMAT_R32G32B32A32_UINT : VK_FORMAT_R32_UINT;
  info.offset = buffer.offset() + range.offset;
  // Ranges are whole vectors, but for what no kernel reads.
  info.range = texels * texelBytes;
  Owned<VkBufferView> &view =
      recording.views
          .try_emplace({info.buffer, info.offset, info.range, set},
                       device.handle(), vkDestroyBufferView)
          .first->second;
  if (!view.get()) {
    VkResult result =
        vkCreateBufferView(device.handle(), &info, nullptr, view.out());
    if (result != VK_SUCCESS) {
      return failure(result, device.name() + ": cannot view a buffer's texels");
    }
  }
  return view.get();
}

Status VulkanStream::createSets(const std::vector<gpu::Launch> &launches,
                                Recorded &recording, Sets &sets) {
  std::vector<VkDescriptorSetLayout> layouts;
  // What the descriptors will point to stays where it is.
  std::vector<std::vector<VkDescriptorBufferInfo>> infos(launches.size());
  std::vector<std::vector<VkBufferView>> views(launches.size());
  VkDescriptorPoolSize sizes[] = {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 0},
                                  {VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, 0}};
  for (size_t i = 0; i < launches.size(); ++i) {
    const std::vector<gpu::Range> &ranges = launches[i].bindings;
    Pipelines::Kernel kernel = device.kernels().at(launches[i].kernel);
    layouts.insert(layouts.end(), kernel.sets.begin(), kernel.sets.end());
    for (const gpu::Range &range : ranges) {
      const PoolBuffer &buffer = cast(range.buffer);
      infos[i].push_back(
          {buffer.handle(), buffer.offset() + range.offset, range.bytes});
    }
    for (uint32_t set = 0; set < kTexelSets; ++set) {
      for (uint32_t binding : kernel.bindings.texels[set]) {
        Result<VkBufferView> view = viewOf(ranges[binding], set + 1, recording);
        if (!view.ok()) {
          return view.status();
        }
        views[i].push_back(*view);
      }
    }
    sizes[0].descriptorCount += uint32_t(infos[i].size());
    sizes[1].descriptorCount += uint32_t(views[i].size());
  }
  VkDescriptorPoolCreateInfo info = {
      VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO};
  info.maxSets = uint32_t(layouts.size());
  info.poolSizeCount = sizes[1].descriptorCount > 0 ? 2 : 1;
  info.pPoolSizes = sizes;
  recording.sets =
      Owned<VkDescriptorPool>(device.handle(), vkDestroyDescriptorPool);
  VkResult result = vkCreateDescriptorPool(device.handle(), &info, nullptr,
                                           recording.sets.out());
  VkDescriptorSetAllocateInfo allocate = {
      VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO};
  allocate.descriptorPool = recording.sets.get();
  allocate.descriptorSetCount = uint32_t(layouts.size());
  allocate.pSetLayouts = layouts.data();
  std::vector<VkDescriptorSet> allocated(layouts.size());
  if (result == VK_SUCCESS) {
    result =
        vkAllocateDescriptorSets(device.handle(), &allocate, allocated.data());
  }
  if (result != VK_SUCCESS) {
    return failure(result, device.name() + ": cannot bind the buffers");
  }
  std::vector<VkWriteDescriptorSet> writes;
  auto next = allocated.begin();
  for (size_t i = 0; i < launches.size(); ++i) {
    Pipelines::Kernel kernel = device.kernels().at(launches[i].kernel);
    sets.emplace_back(next, next + kernel.sets.size());
    next += kernel.sets.size();
    VkWriteDescriptorSet write = {VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET};
    write.dstSet = sets.back()[0];
    write.descriptorCount = uint32_t(infos[i].size());
    write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    write.pBufferInfo = infos[i].data();
    writes.push_back(write);
    write.descriptorCount = 1;
    write.descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER;
    write.pBufferInfo = nullptr;
    write.pTexelBufferView = views[i].data();
    for (uint32_t set = 0; set < kTexelSets; ++set) {
      for (uint32_t binding : kernel.bindings.texels[set]) {
        write.dstSet = sets.back()[set + 1];
        write.dstBinding = binding;
        writes.push_back(write);
        ++write.pTexelBufferView;
      }
    }
  }
  vkUpdateDescriptorSets(device.handle(), uint32_t(writes.size()),
                         writes.data(), 0, nullptr);
  return {};
}

Status VulkanStream::recordCommands(const std::vector<gpu::Launch> &launches,
                                    const Sets &sets, Recorded &recording) {
  VkCommandBuffer buffer = recording.buffer;
  if (Status status = commands.begin(buffer); !status.ok()) {
    return status;
  }
  VkQueryPool timestamps = recording.timestamps.get();
  if (timestamps) {
    vkCmdResetQueryPool(buffer, timestamps, 0, recording.timestampCount);
  }
  // What an earlier run, of this or another recording, has written is there:
  // the host waited for its end, and every recording ends with a barrier.
  if (inputWindow) {
    const PoolBuffer &to = cast(recording.input.buffer);
    VkBufferCopy region = {inputWindow->offset(),
                           to.offset() + recording.input.offset,
                           recording.input.bytes};
    vkCmdCopyBuffer(buffer, inputWindow->handle(), to.handle(), 1, &region);
    addBarrier(buffer, VK_PIPELINE_STAGE_TRANSFER_BIT,
               VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT);
  }
  if (timestamps) {
    vkCmdWriteTimestamp(buffer, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT,
                        timestamps, 0);
  }
  for (size_t i = 0; i < launches.size(); ++i) {
    const gpu::Launch &launch = launches[i];
    Pipelines::Kernel kernel = device.kernels().at(launch.kernel);
    if (i > 0 && (!launch.withPrevious || timestamps)) {
      addBarrier(buffer, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                 VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT);
    }
    vkCmdBindPipeline(buffer, VK_PIPELINE_BIND_POINT_COMPUTE, kernel.pipeline);
    vkCmdBindDescriptorSets(buffer, VK_PIPELINE_BIND_POINT_COMPUTE,
                            kernel.layout, 0, uint32_t(sets[i].size()),
                            sets[i].data(), 0, nullptr);
    vkCmdDispatch(buffer, launch.grid[0], launch.grid[1], launch.grid[2]);
    if (timestamps) {
      vkCmdWriteTimestamp(buffer, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                          timestamps, uint32_t(i + 1));
    }
  }
  addBarrier(buffer, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
             VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT |
                 VK_PIPELINE_STAGE_TRANSFER_BIT | VK_PIPELINE_STAGE_HOST_BIT);
  return commands.end(buffer);
}

Result<std::unique_ptr<gpu::Recording>>
VulkanStream::record(const std::vector<gpu::Launch> &launches,
                     const gpu::Range &input, bool isTimed) {
  Result<VkCommandBuffer> buffer = commands.allocate();
  if (!buffer.ok()) {
    return buffer.status();
  }
  auto recording = std::make_unique<Recorded>(*this, *buffer, input);
  if (isTimed && device.timestampBits() > 0) {
    recording->timestampCount = uint32_t(launches.size() + 1);
    VkQueryPoolCreateInfo info = {VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO};
    info.queryType = VK_QUERY_TYPE_TIMESTAMP;
    info.queryCount = recording->timestampCount;
    recording->timestamps =
        Owned<VkQueryPool>(device.handle(), vkDestroyQueryPool);
    VkResult result = vkCreateQueryPool(device.handle(), &info, nullptr,
                                        recording->timestamps.out());
    if (result != VK_SUCCESS) {
      return failure(result, device.name() + ": cannot take times");
    }
  }
  Sets sets;
  if (Status status = createSets(launches, *recording, sets); !status.ok()) {
    return status;
  }
  if (Status status = recordCommands(launches, sets, *recording);
      !status.ok()) {
    return status;
  }
  return std::unique_ptr<gpu::Recording>(std::move(recording));
}

Status VulkanStream::recordReadBack(const PoolBuffer &buffer,
                                    const gpu::Range &result) {
  if (readBackRange.buffer == result.buffer &&
      readBackRange.offset == result.offset &&
      readBackRange.bytes == result.bytes) {
    return {};
  }
  readBackRange = {};
  if (Status status = commands.begin(readBack); !status.ok()) {
    return status;
  }
  VkBufferCopy region = {buffer.offset() + result.offset,
                         resultWindow->offset(), result.bytes};
  vkCmdCopyBuffer(readBack, buffer.handle(), resultWindow->handle(), 1,
                  &region);
  addBarrier(readBack, VK_PIPELINE_STAGE_TRANSFER_BIT,
             VK_PIPELINE_STAGE_HOST_BIT);
  if (Status status = commands.end(readBack); !status.ok()) {
    return status;
  }
  readBackRange = result;
  return {};
}

Status VulkanStream::run(gpu::Recording &recording, const void *input,
                         const gpu::Range &result, const void **output) {
  const Recorded &recorded = static_cast<Recorded &>(recording);
  const gpu::Range &to = recorded.input;
  char *written = inputWindow ? inputWindow->mapped()
                              : cast(to.buffer).mapped() + to.offset;
  std::memcpy(written, input, to.bytes);
  std::vector<VkCommandBuffer> buffers = {recorded.buffer};
  const PoolBuffer &from = cast(result.buffer);
  bool isCopied = resultWindow && result.bytes > 0;
  if (isCopied) {
    if (Status status = recordReadBack(from, result); !status.ok()) {
      return status;
    }
    buffers.push_back(readBack);
  }
  if (Status status = commands.run(buffers); !status.ok()) {
    return status;
  }
  if (result.bytes > 0) {
    *output = isCopied ? resultWindow->mapped() : from.mapped() + result.offset;
  }
  return {};
}

Status VulkanStream::readTimes(const gpu::Recording &recording,
                               std::vector<uint64_t> &nanoseconds) {
  const Recorded &recorded = static_cast<const Recorded &>(recording);
  uint32_t count = recorded.timestampCount;
  if (count == 0) {
    // The device takes no times: none is known to have passed.
    return {};
  }
  std::vector<uint64_t> ticks(count);
  VkResult result = vkGetQueryPoolResults(
      device.handle(), recorded.timestamps.get(), 0, count,
      count * sizeof ticks[0], ticks.data(), sizeof ticks[0],
      VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WAIT_BIT);
  if (result != VK_SUCCESS) {
    return failure(result, device.name() + ": cannot read times");
  }
  uint64_t mask = UINT64_MAX >> (64 - device.timestampBits());
  nanoseconds.resize(count - 1);
  for (uint32_t i = 1; i < count; ++i) {
    uint64_t passed = (ticks[i] - ticks[i - 1]) & mask;
    nanoseconds[i - 1] = uint64_t(double(passed) * device.nanosecondsPerTick());
  }
  return {};
}

Result<std::unique_ptr<gpu::Stream>>
VulkanDevice::createStream(uint64_t inputBytes, uint64_t resultBytes) {
  auto stream = std::make_unique<VulkanStream>(*this);
  if (Status status = stream->allocate(inputBytes, resultBytes); !status.ok()) {
    return status;
  }
  return std::unique_ptr<gpu::Stream>(std::move(stream));
}
