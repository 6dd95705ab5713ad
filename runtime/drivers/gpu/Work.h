// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a dispatch has to read and to compute, for profiles.

#ifndef UMBER_RUNTIME_DRIVERS_GPU_WORK_H
#define UMBER_RUNTIME_DRIVERS_GPU_WORK_H

#include "runtime/drivers/Driver.h"
#include "runtime/drivers/gpu/Plan.h"

namespace umber::gpu {

/// Adds one run of a dispatch in a step to its row: bytes count once, however
/// often they are read, and cached ones as they are saved.
void countRun(const PlannedDispatch &dispatch, const CacheForm &cache,
              const Step &step, uint64_t nanoseconds, DispatchProfile &row);

} // namespace umber::gpu

#endif // UMBER_RUNTIME_DRIVERS_GPU_WORK_H
