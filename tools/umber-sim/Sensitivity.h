// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How much a result depends on what nobody has measured: each parameter of the
// description that is assumed, or calibrated to a result, a tenth lower and
// higher.

#ifndef UMBER_TOOLS_UMBER_SIM_SENSITIVITY_H
#define UMBER_TOOLS_UMBER_SIM_SENSITIVITY_H

#include "tools/umber-sim/ModelReport.h"

#include <functional>
#include <optional>

namespace umber::tools {

/// A parameter at another value. `seconds` are the phase's; none if the
/// description, or the program that was compiled for it, does not allow it.
struct Variation {
  double value = 0;
  std::optional<double> seconds;
};

struct Sensitivity {
  ConfigParameter parameter;
  Variation low, high;
  /// d log(seconds) / d log(value); none if a variation has no result.
  std::optional<double> elasticity() const;
};

/// Times the report's phase on another description.
using TimePhase =
    std::function<Result<npu::PhaseTiming>(const npu::Config &config)>;

/// Of all parameters that are assumed or calibrated, and not 0. Whole numbers
/// are rounded away from their value.
std::vector<Sensitivity> getSensitivities(const npu::Config &config,
                                          const TimePhase &time);

/// To standard output: a table of Markdown, by elasticity, or one JSON object.
void printSensitivities(const ModelReport &report,
                        const std::vector<Sensitivity> &sensitivities,
                        bool json);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_SIM_SENSITIVITY_H
