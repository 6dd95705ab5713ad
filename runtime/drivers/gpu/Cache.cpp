// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/gpu/Cache.h"

#include <cstring>

using namespace umber;
using namespace umber::gpu;

Result<Cache> Cache::create(Device &device, const CacheForm &form,
                            int32_t positions) {
  Cache cache;
  cache.form = form;
  cache.positions = CacheForm::capacityFor(positions);
  std::optional<uint64_t> bytes = form.arrayBytes(cache.positions);
  if (!bytes || *bytes > device.maxRangeBytes()) {
    return Status(StatusCode::Unsupported,
                  device.name() + ": a layer's keys of " +
                      std::to_string(positions) +
                      " positions are more than the " +
                      std::to_string(device.maxRangeBytes()) +
                      " bytes that the device lets a kernel see");
  }
  cache.arrayBytes = *bytes;
  for (uint32_t layer = 0; layer < form.layers; ++layer) {
    Result<std::unique_ptr<Buffer>> buffer =
        device.allocate(2 * cache.arrayBytes, "the key/value cache");
    if (!buffer.ok()) {
      return buffer.status();
    }
    cache.layers.push_back(std::move(*buffer));
  }
  return cache;
}

template <typename Move>
Status Cache::forEachArray(int32_t count, Move move) const {
  uint64_t saved = 0;
  struct Part {
    uint64_t deviceBytes, savedBytes;
  };
  const Part parts[] = {{form.deviceRowBytes(), form.rowBytes},
                        {form.deviceScaleBytes(), form.scaleBytes}};
  for (const std::unique_ptr<Buffer> &buffer : layers) {
    uint64_t offset = 0;
    for (int array = 0; array < 2; ++array) {
      for (const Part &part : parts) {
        for (uint32_t head = 0; head < form.kvHeads; ++head) {
          if (count > 0 && part.savedBytes > 0) {
            Status status =
                move(*buffer, offset, saved, part.deviceBytes, part.savedBytes);
            if (!status.ok()) {
              return status;
            }
          }
          offset += positions * part.deviceBytes;
          saved += uint64_t(count) * part.savedBytes;
        }
      }
    }
  }
  return {};
}

Status Cache::save(Device &device, int32_t count, char *out) const {
  std::vector<char> padded;
  auto move = [&](const Buffer &buffer, uint64_t offset, uint64_t saved,
                  uint64_t deviceBytes, uint64_t savedBytes) -> Status {
    uint64_t bytes = uint64_t(count) * deviceBytes;
    if (deviceBytes == savedBytes) {
      return device.read(buffer, offset, out + saved, bytes);
    }
    padded.resize(bytes);
    if (Status status = device.read(buffer, offset, padded.data(), bytes);
        !status.ok()) {
      return status;
    }
    for (int32_t i = 0; i < count; ++i) {
      std::memcpy(out + saved + uint64_t(i) * savedBytes,
                  padded.data() + uint64_t(i) * deviceBytes, savedBytes);
    }
    return {};
  };
  return forEachArray(count, move);
}

Status Cache::restore(Device &device, int32_t count, const char *in) {
  std::vector<char> padded;
  auto move = [&](const Buffer &buffer, uint64_t offset, uint64_t saved,
                  uint64_t deviceBytes, uint64_t savedBytes) -> Status {
    uint64_t bytes = uint64_t(count) * deviceBytes;
    if (deviceBytes == savedBytes) {
      return device.write(buffer, offset, in + saved, bytes);
    }
    padded.assign(bytes, 0);
    for (int32_t i = 0; i < count; ++i) {
      std::memcpy(padded.data() + uint64_t(i) * deviceBytes,
                  in + saved + uint64_t(i) * savedBytes, savedBytes);
    }
    return device.write(buffer, offset, padded.data(), bytes);
  };
  return forEachArray(count, move);
}
