// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a run's time went: --profile and --profile-trace.

#ifndef UMBER_TOOLS_UMBER_RUN_PROFILE_H
#define UMBER_TOOLS_UMBER_RUN_PROFILE_H

#include "tools/umber-run/Generation.h"

namespace umber::tools {

/// ToolError unless what the options ask for can be written: to be known before
/// the work.
void checkProfile(const RunOptions &options);

/// Lets the generator's session measure what the options ask for.
void startProfile(Generator &generator, const RunOptions &options);

/// A table on stderr: a line per kernel name, summed over the sessions and
/// layers, longest first.
void printProfile(const std::vector<umber_session *> &sessions);

/// Prints and writes what the options ask for.
void finishProfile(const umber_model *model, Generator &generator,
                   const RunOptions &options);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_RUN_PROFILE_H
