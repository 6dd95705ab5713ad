// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What reports of compiled models have in common, whatever device they are on.

#ifndef UMBER_TOOLS_UMBER_REPORT_REPORTPARTS_H
#define UMBER_TOOLS_UMBER_REPORT_REPORTPARTS_H

#include "runtime/description/ConfigSection.h"
#include "runtime/description/ModelInfo.h"
#include "runtime/package/Status.h"
#include "tools/common/Handles.h"
#include "tools/common/Phase.h"
#include "tools/umber-report/Json.h"

namespace umber::tools {

/// A value, or a ToolError with the message behind `what`.
template <typename T>
T take(Result<T> result, const std::string &what) {
  if (!result.ok()) {
    throw ToolError(what + result.status().message());
  }
  return std::move(*result);
}

/// The phases that are shown if none is asked for.
std::vector<Phase> getUsualPhases(int64_t contextLength);

Json describeModel(const std::string &name, int64_t contextLength,
                   const ModelInfo &info);
Json describeMatrices(const ModelInfo &info);
Json describeOps(const KernelSource &kernel);
Json describeParameters(const std::vector<ConfigParameter> &parameters);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_REPORT_REPORTPARTS_H
