// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/Work.h"

#include <algorithm>

using namespace umber;
using namespace umber::cpu;

Work &Work::operator+=(const Work &other) {
  weightBytes += other.weightBytes;
  cacheBytes += other.cacheBytes;
  integerOps += other.integerOps;
  floatOps += other.floatOps;
  return *this;
}

Work umber::cpu::getWork(const PlannedDispatch &dispatch,
                         const CacheShape &cache,
                         const umber_kernel_args &args) {
  Work work;
  uint64_t rows = dispatch.ofOutputs ? args.outputs : args.tokens;
  if (rows == 0) {
    return work;
  }
  work.weightBytes = dispatch.weightBytes;
  work.integerOps = rows * dispatch.integerOpsPerToken;
  work.floatOps = rows * (dispatch.flopsPerToken - dispatch.integerOpsPerToken);
  if (dispatch.flopsPerPosition == 0) {
    return work;
  }
  uint64_t window = dispatch.window > 0 ? dispatch.window : UINT64_MAX;
  uint64_t pairs = 0, positions = 0;
  for (int64_t row = 0; row < args.tokens; ++row) {
    uint64_t seen = std::min(uint64_t(args.positions[row]) + 1, window);
    pairs += seen;
    // A row sees what the one before it in its sequence does, and itself.
    bool isFirst = row == 0 || args.sequences[row] != args.sequences[row - 1];
    positions += isFirst ? seen : 1;
  }
  work.floatOps += pairs * dispatch.flopsPerPosition;
  work.cacheBytes =
      2 * positions * cache.kvHeads * (cache.rowBytes + cache.scaleBytes);
  return work;
}
