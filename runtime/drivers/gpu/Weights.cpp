// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/gpu/Weights.h"

#include "runtime/package/Package.h"

#include <algorithm>

using namespace umber;
using namespace umber::gpu;

Result<Weights> Weights::upload(Device &device, const Package &package,
                                const fbs::Target &target) {
  Weights weights;
  uint32_t count = target.parameters() ? target.parameters()->size() : 0;
  // Where they go, first: as many in a buffer as it should have.
  std::vector<uint64_t> sizes;
  std::vector<size_t> bufferOf;
  for (uint32_t i = 0; i < count; ++i) {
    const fbs::Parameter &parameter = *target.parameters()->Get(i);
    uint64_t bytes = alignRange(std::max<uint64_t>(parameter.size(), 1));
    if (bytes > device.maxRangeBytes()) {
      return Status(StatusCode::Unsupported,
                    device.name() + ": parameter " + parameter.name()->str() +
                        " has " + std::to_string(parameter.size()) +
                        " bytes, more than the " +
                        std::to_string(device.maxRangeBytes()) +
                        " that the device lets a kernel see");
    }
    if (sizes.empty() || bytes > device.maxBufferBytes() - sizes.back()) {
      sizes.push_back(0);
    }
    weights.ranges.push_back({nullptr, sizes.back(), bytes});
    bufferOf.push_back(sizes.size() - 1);
    sizes.back() += bytes;
    weights.total += parameter.size();
  }
  for (uint64_t size : sizes) {
    Result<std::unique_ptr<Buffer>> buffer =
        device.allocate(size, "the weights");
    if (!buffer.ok()) {
      return buffer.status();
    }
    weights.buffers.push_back(std::move(*buffer));
  }
  for (uint32_t i = 0; i < count; ++i) {
    Range &range = weights.ranges[i];
    range.buffer = weights.buffers[bufferOf[i]].get();
    Bytes bytes = package.parameter(*target.parameters()->Get(i));
    Status status =
        device.write(*range.buffer, range.offset, bytes.data, bytes.size);
    if (!status.ok()) {
      return status;
    }
  }
  return weights;
}
