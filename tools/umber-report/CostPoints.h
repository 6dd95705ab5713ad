// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_REPORT_COSTPOINTS_H
#define UMBER_TOOLS_UMBER_REPORT_COSTPOINTS_H

#include "tools/umber-report/Json.h"
#include "tools/umber-report/PhaseSimulation.h"

namespace umber::tools {

/// Adds to a phase's description what the page's cost model is made of, and
/// what it is checked against:
///
/// - `costs`: groups of the phase's commands at several counts (the context's
///   length, or the prompt's), between which the page interpolates;
/// - `tangents`: what each group contributes to the time on other hardware.
///   Time is the longest path through a graph of commands, so that it is no
///   less than the length of any path with other lengths of its commands; the
///   more of the paths that become the longest are known, the closer that is;
/// - `validation`: the simulator's time and energy with changes that neither of
///   these are at.
///
/// It simulates on all cores.
void addCosts(const PhaseSimulation &simulation, Json &phase);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_REPORT_COSTPOINTS_H
