// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/Driver.h"

using namespace umber;

Status DeviceModel::runBatch(const BatchRow *rows, int32_t count,
                             const float **logits) const {
  for (int32_t i = 0; i < count; ++i) {
    Step step = {&rows[i].id, 1, rows[i].position, logits ? 1 : 0};
    const float *row = nullptr;
    Status status = rows[i].state->runInBatch(step, *rows[0].state, &row);
    if (!status.ok()) {
      return status;
    }
    if (logits) {
      logits[i] = row;
    }
  }
  return {};
}
