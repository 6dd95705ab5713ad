// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_SIM_MODELREPORT_H
#define UMBER_TOOLS_UMBER_SIM_MODELREPORT_H

#include "runtime/drivers/npu/sim/StepTiming.h"

#include <optional>

namespace umber::tools {

struct ModelReport {
  npu::Config config;
  std::string model;
  /// As it was spelled.
  std::string phase;
  int64_t rows = 0;
  uint32_t scratchpadBytes = 0;
  uint32_t liveBytes = 0;
  npu::PhaseTiming timing;
  /// The likeliest one, if logits were computed.
  std::optional<int64_t> nextToken;
};

/// To standard output: a table, or one JSON object.
void printReport(const ModelReport &report, bool json);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_SIM_MODELREPORT_H
