// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one hash of the runtime's core, the same as in packages.

#ifndef UMBER_RUNTIME_CORE_HASH_H
#define UMBER_RUNTIME_CORE_HASH_H

#include <cstddef>
#include <cstdint>

namespace umber {

/// XXH3-64.
uint64_t hashBytes(const void *bytes, size_t size);

} // namespace umber

#endif // UMBER_RUNTIME_CORE_HASH_H
