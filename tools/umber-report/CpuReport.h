// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels of this machine as umber-bench has measured them, as the data of a
// report. Nothing in it is modelled.

#ifndef UMBER_TOOLS_UMBER_REPORT_CPUREPORT_H
#define UMBER_TOOLS_UMBER_REPORT_CPUREPORT_H

#include "tools/common/Phase.h"
#include "tools/umber-report/Json.h"

#include <vector>

namespace umber::tools {

/// What `umber-bench --profile` prints for these phases of a package: one test
/// for each. It is run from the folder that this program is in, and takes as
/// long as it takes. ToolError if it fails.
std::string measureProfile(const std::string &package,
                           const std::vector<Phase> &phases);

/// `profile`: the text of one or more arrays of tests, one behind the other.
/// `name` is what it is called in messages. ToolError: `NAME: expected …`.
Json reportCpu(const std::string &profile, const std::string &name);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_REPORT_CPUREPORT_H
