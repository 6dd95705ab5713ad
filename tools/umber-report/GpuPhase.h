// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_REPORT_GPUPHASE_H
#define UMBER_TOOLS_UMBER_REPORT_GPUPHASE_H

#include "runtime/drivers/gpu/estimate/Estimate.h"
#include "tools/common/Phase.h"
#include "tools/umber-report/Json.h"

namespace umber::tools {

/// What a phase is estimated to take: totals, launches, when they run in its
/// first step, and, for what-if, the same at other lengths of up to
/// `contextLength`, in the form that CostPoints.h has.
Json describeGpuPhase(const gpu::Estimator &estimator,
                      const gpu::Config &config, const Phase &phase,
                      int64_t contextLength);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_REPORT_GPUPHASE_H
