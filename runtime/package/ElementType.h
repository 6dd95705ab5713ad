// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How large a package's element types are.

#ifndef UMBER_RUNTIME_PACKAGE_ELEMENTTYPE_H
#define UMBER_RUNTIME_PACKAGE_ELEMENTTYPE_H

#include "runtime/package/umb_generated.h"

#include <cstdint>

namespace umber {

/// Bits of one element; 0 for a type that this version does not know.
inline uint64_t elementBits(fbs::DType type) {
  switch (type) {
  case fbs::DType_F32:
  case fbs::DType_I32:
    return 32;
  case fbs::DType_F16:
  case fbs::DType_BF16:
    return 16;
  case fbs::DType_I8:
    return 8;
  case fbs::DType_I4:
    return 4;
  }
  return 0;
}

} // namespace umber

#endif // UMBER_RUNTIME_PACKAGE_ELEMENTTYPE_H
