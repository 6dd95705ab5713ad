// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How large a cached key or value is.

#ifndef UMBER_RUNTIME_PACKAGE_CACHELAYOUT_H
#define UMBER_RUNTIME_PACKAGE_CACHELAYOUT_H

#include "runtime/package/ElementType.h"

namespace umber {

/// Whether a cache may have such elements.
inline bool isCacheType(fbs::DType type) {
  switch (type) {
  case fbs::DType_F32:
  case fbs::DType_F16:
  case fbs::DType_I8:
  case fbs::DType_I4:
    return true;
  default:
    return false;
  }
}

/// Bytes of the elements of one position of one head; 4-bit elements stand two
/// to a byte.
inline uint64_t cacheRowBytes(const fbs::CacheInfo &cache) {
  return (uint64_t(cache.head_dim()) * elementBits(cache.dtype()) + 7) / 8;
}

/// Bytes of that row's scale: an f16 for integers, else none.
inline uint64_t cacheScaleBytes(const fbs::CacheInfo &cache) {
  bool isInteger =
      cache.dtype() == fbs::DType_I8 || cache.dtype() == fbs::DType_I4;
  return isInteger ? 2 : 0;
}

} // namespace umber

#endif // UMBER_RUNTIME_PACKAGE_CACHELAYOUT_H
