// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/sim/Workers.h"

#include <pthreadpool.h>

using namespace umber::npu;

Workers::Workers(unsigned threads)
    : pool(threads > 1 ? pthreadpool_create(threads) : nullptr) {}

void Workers::share(size_t count, void (*call)(void *, size_t),
                    void *context) const {
  pthreadpool_parallelize_1d(pool.get(), call, context, count, 0);
}

void Workers::Free::operator()(pthreadpool *pool) const {
  pthreadpool_destroy(pool);
}
