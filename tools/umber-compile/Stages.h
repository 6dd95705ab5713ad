// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_COMPILE_STAGES_H
#define UMBER_TOOLS_UMBER_COMPILE_STAGES_H

#include "tools/umber-compile/Options.h"
#include "tools/umber-compile/Progress.h"

namespace umber::compile {

/// The stages of what the command line asks for, in their order.
std::vector<Stage> getStages(const Options &options);

} // namespace umber::compile

#endif // UMBER_TOOLS_UMBER_COMPILE_STAGES_H
