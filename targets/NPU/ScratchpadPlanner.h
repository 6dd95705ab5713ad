// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TARGETS_NPU_SCRATCHPADPLANNER_H
#define UMBER_TARGETS_NPU_SCRATCHPADPLANNER_H

#include "targets/NPU/ProgramBuilder.h"

namespace umber::npu {

/// Gives buffers their offsets, multiples of `granule`, such that no two that
/// are in use at once overlap: one after another, each at the lowest place that
/// is free for as long as it is used. The first order is by size; while that
/// needs more than is in use at once, what stands in the way is moved to the
/// front of it. Returns the bytes that are needed.
uint32_t placeBuffers(std::vector<BufferInfo> &buffers, uint32_t granule);

/// The most bytes in use at once.
uint32_t getLiveBytes(const std::vector<BufferInfo> &buffers);

/// Two buffers that are in use at once and overlap, which is an error of the
/// placement; none: both are 0.
std::pair<Buffer, Buffer> findOverlap(const std::vector<BufferInfo> &buffers);

} // namespace umber::npu

#endif // UMBER_TARGETS_NPU_SCRATCHPADPLANNER_H
