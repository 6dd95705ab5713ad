// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_SIM_REPORT_H
#define UMBER_TOOLS_UMBER_SIM_REPORT_H

#include "runtime/drivers/npu/Product.h"

#include <string>

namespace umber::tools {

struct ProductReport {
  npu::Config config;
  npu::ProductRequest request;
  /// As it was spelled.
  std::string weights;
  npu::ProductTiming timing;
};

/// To standard output: a table, or one JSON object.
void printReport(const ProductReport &report, bool json);

/// What a description says, and where each number comes from: a table of
/// Markdown, or a JSON array.
void printParameters(const npu::Config &config, bool json);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_SIM_REPORT_H
