// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_BENCH_ROOFLINEREPORT_H
#define UMBER_TOOLS_UMBER_BENCH_ROOFLINEREPORT_H

#include "tools/umber-bench/Report.h"

namespace umber::tools {

/// The report's rooflines. `format` is md, csv or json; in JSON a test has
/// llama-bench's fields, and one more, `roofline`.
void printRooflines(const BenchReport &report, const std::string &format);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_BENCH_ROOFLINEREPORT_H
