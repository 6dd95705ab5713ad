// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/gpu/Work.h"

#include <algorithm>

using namespace umber;
using namespace umber::gpu;

void umber::gpu::countRun(const PlannedDispatch &dispatch,
                          const CacheForm &cache, const Step &step,
                          uint64_t nanoseconds, DispatchProfile &row) {
  ++row.runs;
  row.nanoseconds += nanoseconds;
  uint64_t rows = dispatch.ofOutputs ? step.outputs : step.tokens;
  if (rows == 0) {
    return;
  }
  row.weightBytesRead += dispatch.weightBytes;
  row.integerOps += rows * dispatch.integerOpsPerToken;
  row.floatOps += rows * (dispatch.flopsPerToken - dispatch.integerOpsPerToken);
  if (dispatch.flopsPerPosition == 0) {
    return;
  }
  uint64_t window = dispatch.window > 0 ? dispatch.window : UINT64_MAX;
  uint64_t pairs = 0, positions = 0;
  for (int32_t token = 0; token < step.tokens; ++token) {
    uint64_t seen = std::min(uint64_t(step.position) + token + 1, window);
    pairs += seen;
    // A row sees what the one before it does, and itself.
    positions += token == 0 ? seen : 1;
  }
  row.floatOps += pairs * dispatch.flopsPerPosition;
  row.cacheBytesRead +=
      2 * positions * cache.kvHeads * (cache.rowBytes + cache.scaleBytes);
}
