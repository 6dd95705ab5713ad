// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A package for a neural engine, as the data of a report.

#ifndef UMBER_TOOLS_UMBER_REPORT_ENGINEREPORT_H
#define UMBER_TOOLS_UMBER_REPORT_ENGINEREPORT_H

#include "runtime/drivers/npu/sim/ProgramFile.h"
#include "tools/common/Phase.h"
#include "tools/umber-report/Json.h"

namespace umber::tools {

struct EnginePackage {
  std::string path;
  uint64_t bytes = 0; ///< of the file
  npu::ProgramFile programs;
  npu::Config config;
};

/// Opens a package. `device`: a description's name or file, empty for the one
/// that it was compiled for. ToolError: `PATH: …`.
EnginePackage openEnginePackage(const std::string &path,
                                const std::string &device);

Json reportEngine(const EnginePackage &package,
                  const std::vector<Phase> &phases);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_REPORT_ENGINEREPORT_H
