// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A session's keys and values, as a neural engine's programs have them.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_DRIVER_CACHE_H
#define UMBER_RUNTIME_DRIVERS_NPU_DRIVER_CACHE_H

#include "runtime/drivers/HostMemory.h"
#include "runtime/drivers/npu/sim/Machine.h"

namespace umber::npu {

struct CacheShape {
  uint32_t layers = 0;
  uint32_t kvHeads = 0;
  uint64_t rowBytes = 0;   ///< of one position of one head
  uint64_t scaleBytes = 0; ///< of that row's scale; 0: rows have none
};

/// Region::Cache. Of every layer the keys, [kvHeads][capacity][rowBytes], the
/// values, the same, and of integers the scales, [kvHeads][keys,
/// values][capacity][scaleBytes] (targets/NPU/EmitAttention.cpp).
class Cache {
public:
  /// Zeros. `positions` is rounded up to whole blocks of attention. OutOfMemory
  /// if that cannot be addressed.
  static Result<Cache> create(const CacheShape &shape, int32_t positions);

  int64_t capacity() const { return static_cast<int64_t>(positions); }
  DramRegion region() const {
    return {reinterpret_cast<uint8_t *>(memory.data()), memory.size()};
  }

  /// The first `count` positions as [layers][keys, values], each [kvHeads]
  /// [count][rowBytes] and then [kvHeads][count][scaleBytes]: the layout
  /// "heads", which the CPU writes, too. `out` and `in` have
  /// packedBytes(count).
  uint64_t packedBytes(int32_t count) const;
  void pack(int32_t count, char *out) const;
  void unpack(int32_t count, const char *in);

  /// Makes the scales of positions from `begin` to before `end` zeros. Programs
  /// read whole blocks of them; what a sequence has left there that was longer
  /// may be no numbers, which a weight of 0 does not hide.
  void clearScales(int32_t begin, int32_t end);

private:
  /// Bytes of all layers' parts, per position.
  uint64_t layerBytes() const {
    return uint64_t(2) * shape.kvHeads * (shape.rowBytes + shape.scaleBytes);
  }
  char *row(uint32_t layer, uint32_t values, uint32_t head) const;
  char *scale(uint32_t layer, uint32_t values, uint32_t head) const;
  /// Calls move(bytes, cached, packed) for each run of `count` positions.
  template <typename Move>
  void forEachRun(int32_t count, Move move) const;

  CacheShape shape;
  uint64_t positions = 0;
  HostMemory memory;
};

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_DRIVER_CACHE_H
