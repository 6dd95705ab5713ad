// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/core/Hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t umber::hashBytes(const void *bytes, size_t size) {
  return XXH3_64bits(bytes, size);
}
