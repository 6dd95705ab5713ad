// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_BENCH_CACHESIZE_H
#define UMBER_TOOLS_UMBER_BENCH_CACHESIZE_H

#include <cstddef>

namespace umber::tools {

/// Bytes of the last-level caches that so many threads may use: one cache's for
/// each group of cores that share one, as far as there are threads.
size_t lastLevelCacheBytes(int threads);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_BENCH_CACHESIZE_H
