// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_BENCH_REPORT_H
#define UMBER_TOOLS_UMBER_BENCH_REPORT_H

#include "tools/umber-bench/Measure.h"

namespace umber::tools {

struct BenchReport {
  std::string package;
  std::string model;
  uint64_t modelBytes = 0;
  uint64_t parameters = 0;
  std::string device, isa;
  std::vector<Measurement> rows;
};

/// `format` is md, csv or json; columns and fields are llama-bench's.
void printReport(const BenchReport &report, const std::string &format);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_BENCH_REPORT_H
