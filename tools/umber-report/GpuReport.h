// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A package for GPUs, as the data of a report: what its launches are estimated
// to take on a GPU that is described. Launches are the report's kernels.

#ifndef UMBER_TOOLS_UMBER_REPORT_GPUREPORT_H
#define UMBER_TOOLS_UMBER_REPORT_GPUREPORT_H

#include "runtime/drivers/gpu/estimate/Estimate.h"
#include "tools/common/Phase.h"
#include "tools/umber-report/Json.h"

namespace umber::tools {

struct GpuPackage {
  std::string path;
  uint64_t bytes = 0; ///< of the file, and of weights that it has not
  gpu::LaunchFile file;
  gpu::Config config;
};

/// Opens a package. `device`: a description's name or file, `gpu:` before it or
/// not. ToolError: `PATH: …`.
GpuPackage openGpuPackage(const std::string &path, const std::string &device);

Json reportGpu(const GpuPackage &package, const std::vector<Phase> &phases);

/// When each launch of a report's phase runs, for Perfetto.
void writeGpuTrace(const Json &report, const Json &phase,
                   const std::string &path);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_REPORT_GPUREPORT_H
