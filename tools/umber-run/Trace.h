// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_RUN_TRACE_H
#define UMBER_TOOLS_UMBER_RUN_TRACE_H

#include "tools/umber-run/Timeline.h"
#include "umber/umber.h"

#include <string>

namespace umber::tools {

/// Writes what chrome://tracing and ui.perfetto.dev open: the Trace Event
/// Format's JSON, with a track for the timeline and one for each worker, whose
/// events are its kernels. Times are microseconds since the first event. The
/// file appears when it is complete; ToolError if it cannot.
void writeTrace(const std::string &path, const umber_model *model,
                const umber_session *session, const Timeline &timeline);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_RUN_TRACE_H
