// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A session's keys and values on a GPU.

#ifndef UMBER_RUNTIME_DRIVERS_GPU_CACHE_H
#define UMBER_RUNTIME_DRIVERS_GPU_CACHE_H

#include "runtime/drivers/gpu/CacheForm.h"
#include "runtime/drivers/gpu/Device.h"

namespace umber::gpu {

/// A buffer for every layer, the keys and then the values.
class Cache {
public:
  /// OutOfMemory, or Unsupported if a layer's keys are more than what the
  /// device lets a kernel see. The device outlives the cache.
  static Result<Cache> create(Device &device, const CacheForm &form,
                              int32_t positions);

  uint64_t capacity() const { return positions; }
  Range keys(uint32_t layer) const {
    return {layers[layer].get(), 0, arrayBytes};
  }
  Range values(uint32_t layer) const {
    return {layers[layer].get(), arrayBytes, arrayBytes};
  }

  /// The first `count` positions as CacheForm::savedBytes describes them.
  Status save(Device &device, int32_t count, char *out) const;
  Status restore(Device &device, int32_t count, const char *in);

private:
  /// Calls move(buffer, offset, saved, deviceBytes, savedBytes) for each of
  /// the arrays of `count` rows or scales of a head: where it is on the device
  /// and among the saved bytes, and what one element has in both.
  template <typename Move>
  Status forEachArray(int32_t count, Move move) const;

  CacheForm form;
  uint64_t positions = 0, arrayBytes = 0;
  std::vector<std::unique_ptr<Buffer>> layers;
};

} // namespace umber::gpu

#endif // UMBER_RUNTIME_DRIVERS_GPU_CACHE_H
