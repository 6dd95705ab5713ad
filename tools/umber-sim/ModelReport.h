// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a compiled model's phase takes: as a table, JSON, CSV, and a trace.

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

/// A line per kernel and one of all, `total`, with the numbers of the JSON's
/// kernels. ToolError if the file cannot be written.
void writeCsv(const ModelReport &report, const std::string &path);

/// A track per queue, whose slices are commands, named by their kernel and
/// instruction. Times are of the simulated engine. ToolError if the file cannot
/// be written.
void writeTrace(const ModelReport &report,
                const std::vector<npu::TimedCommand> &commands,
                const std::string &path);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_SIM_MODELREPORT_H
