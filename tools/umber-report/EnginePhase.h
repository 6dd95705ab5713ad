// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_REPORT_ENGINEPHASE_H
#define UMBER_TOOLS_UMBER_REPORT_ENGINEPHASE_H

#include "tools/umber-report/Json.h"
#include "tools/umber-report/PhaseSimulation.h"

namespace umber::tools {

/// What the simulator says of a phase: totals, kernels, and when queues ran
/// what in its first step.
Json describePhase(const PhaseSimulation &simulation);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_REPORT_ENGINEPHASE_H
