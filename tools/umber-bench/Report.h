// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_BENCH_REPORT_H
#define UMBER_TOOLS_UMBER_BENCH_REPORT_H

#include "tools/umber-bench/Roofline.h"

#include <nlohmann/json_fwd.hpp>

namespace umber::tools {

struct BenchReport {
  std::string package;
  std::string model;
  uint64_t modelBytes = 0;
  uint64_t parameters = 0;
  int32_t contextLength = 0;
  uint64_t cacheBytesPerToken = 0;
  std::string device, isa;
  bool isSimulated = false; ///< speeds are a simulator's
  std::vector<Measurement> rows;
  std::vector<Roofline> rooflines; ///< instead of rows
};

/// A test as llama-bench's JSON has it.
nlohmann::ordered_json toJson(const BenchReport &report,
                              const Measurement &row);

/// A field of CSV.
std::string quoteCsv(const std::string &text);

/// `format` is md, csv or json; columns and fields are llama-bench's.
void printReport(const BenchReport &report, const std::string &format);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_BENCH_REPORT_H
