// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What launches need, for estimates (runtime/drivers/gpu/estimate).

#ifndef UMBER_TARGETS_GPU_LAUNCHWORK_H
#define UMBER_TARGETS_GPU_LAUNCHWORK_H

#include "runtime/drivers/gpu/estimate/LaunchFile.h"
#include "targets/GPU/KernelEmitter.h"

namespace umber::gpu {

/// What `made` needs, which has all bindings and costs: `launch` of kernel
/// number `kernel` of a program, whose code is that of `representative`. Its
/// name may be another's, too; its matrix is a number among `parameters`.
LaunchWork describeWork(const PlannedDispatch &made, const Launch &launch,
                        int64_t kernel, mlir::umber::KernelOp representative,
                        const DispatchPlan &plan, int64_t maxTokens);

/// Gives launches of one name others: `l0.q_k_v:products 2`.
void nameApart(std::vector<LaunchWork> &launches);

} // namespace umber::gpu

#endif // UMBER_TARGETS_GPU_LAUNCHWORK_H
