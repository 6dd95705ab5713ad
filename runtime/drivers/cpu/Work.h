// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a dispatch has to read and to compute, for profiles.

#ifndef UMBER_RUNTIME_DRIVERS_CPU_WORK_H
#define UMBER_RUNTIME_DRIVERS_CPU_WORK_H

#include "runtime/drivers/cpu/Plan.h"

namespace umber::cpu {

/// All workers' together. Bytes count once, however often they are read.
struct Work {
  uint64_t weightBytes = 0;
  uint64_t cacheBytes = 0; // of keys and values, with their scales
  uint64_t integerOps = 0; // multiplications and additions
  uint64_t floatOps = 0;

  Work &operator+=(const Work &other);
};

/// Of one run in the step that the kernel is called for.
Work getWork(const PlannedDispatch &dispatch, const CacheShape &cache,
             const umber_kernel_args &args);

} // namespace umber::cpu

#endif // UMBER_RUNTIME_DRIVERS_CPU_WORK_H
