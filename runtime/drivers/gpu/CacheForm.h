// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Keys and values on a GPU, which writes whole words: see CacheInfo in umb.fbs.

#ifndef UMBER_RUNTIME_DRIVERS_GPU_CACHEFORM_H
#define UMBER_RUNTIME_DRIVERS_GPU_CACHEFORM_H

#include "runtime/drivers/HostMemory.h"
#include "runtime/package/CacheLayout.h"

#include <cstdint>

namespace umber::gpu {

/// Of one layer's keys or of its values: [kvHeads][capacity] rows of whole
/// words and, for integers, as many words with a scale in the low half.
struct CacheForm {
  uint32_t layers = 0;
  uint32_t kvHeads = 0;
  uint64_t rowBytes = 0;   ///< of one position of one head, as saved
  uint64_t scaleBytes = 0; ///< of that row's scale; 0: rows have none

  CacheForm() = default;
  explicit CacheForm(const fbs::CacheInfo &cache)
      : layers(cache.layers()), kvHeads(cache.kv_heads()),
        rowBytes(cacheRowBytes(cache)), scaleBytes(cacheScaleBytes(cache)) {}

  /// Bytes of a row and of a scale on the device.
  uint64_t deviceRowBytes() const { return (rowBytes + 3) / 4 * 4; }
  uint64_t deviceScaleBytes() const { return (scaleBytes + 3) / 4 * 4; }

  /// The capacity of a cache for `positions`, by which every array has whole
  /// alignments.
  static uint64_t capacityFor(int32_t positions) {
    return (uint64_t(positions) + 63) / 64 * 64;
  }
  /// Bytes of a layer's keys or values on the device; nothing if that is more
  /// than 64 bits hold.
  std::optional<uint64_t> arrayBytes(uint64_t capacity) const {
    return multiplySizes(
        {deviceRowBytes() + deviceScaleBytes(), kvHeads, capacity});
  }

  /// Bytes that the first positions take when saved: [layers][keys, values],
  /// each [kvHeads][positions][rowBytes] and then [kvHeads][positions]
  /// [scaleBytes], which is what the CPU driver saves as well.
  uint64_t savedBytes(int32_t positions) const {
    return uint64_t(2) * layers * kvHeads * uint64_t(positions) *
           (rowBytes + scaleBytes);
  }
};

} // namespace umber::gpu

#endif // UMBER_RUNTIME_DRIVERS_GPU_CACHEFORM_H
