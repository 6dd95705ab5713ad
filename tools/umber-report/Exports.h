// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A report's data for other tools.

#ifndef UMBER_TOOLS_UMBER_REPORT_EXPORTS_H
#define UMBER_TOOLS_UMBER_REPORT_EXPORTS_H

#include "tools/umber-report/Json.h"

namespace umber::tools {

/// A line per phase and kernel, with the numbers of the report's kernels; those
/// of objects are named `OBJECT_KEY`. As RFC 4180 has it.
std::string makeCsv(const Json &report);

/// The kernels and their data flow as a collection of graphs that Model
/// Explorer opens; what kernels take in each phase is among their attributes.
Json makeGraphs(const Json &report);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_REPORT_EXPORTS_H
