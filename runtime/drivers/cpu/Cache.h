// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A session's keys and values.

#ifndef UMBER_RUNTIME_DRIVERS_CPU_CACHE_H
#define UMBER_RUNTIME_DRIVERS_CPU_CACHE_H

#include "runtime/drivers/HostMemory.h"
#include "runtime/drivers/cpu/Plan.h"

namespace umber::cpu {

/// For every layer the keys and the values: [kvHeads][capacity][rowBytes] each,
/// then the scales, [kvHeads][capacity][scaleBytes]; at multiples of 64 bytes.
/// Memory is taken where positions fill it.
class Cache {
public:
  /// `positions` is rounded up so that every head's rows start at a multiple of
  /// 64 bytes. OutOfMemory if that cannot be addressed.
  static Result<Cache> create(const CacheShape &shape, int32_t positions);

  int64_t capacity() const { return positions; }
  char *keys(uint32_t layer) const { return array(2 * uint64_t(layer)); }
  char *values(uint32_t layer) const { return array(2 * uint64_t(layer) + 1); }

  /// The first `count` positions as [layers][keys, values], each [kvHeads]
  /// [count][rowBytes] and then [kvHeads][count][scaleBytes], packed, so that
  /// caches of different capacity exchange them.
  uint64_t packedBytes(int32_t count) const;
  void pack(int32_t count, char *out) const;
  void unpack(int32_t count, const char *in);

private:
  char *array(uint64_t index) const {
    return memory.data() + index * shape.kvHeads * positions *
                               (shape.rowBytes + shape.scaleBytes);
  }
  /// Calls move(bytes, in the cache, in packed memory) for every run of bytes
  /// that is contiguous in both.
  template <typename Move>
  void forEachRun(int32_t count, Move move) const;

  CacheShape shape = {};
  uint64_t positions = 0;
  HostMemory memory;
};

} // namespace umber::cpu

#endif // UMBER_RUNTIME_DRIVERS_CPU_CACHE_H
