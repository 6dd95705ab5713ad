// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Many prompts, several of them answered at once.

#ifndef UMBER_TOOLS_UMBER_RUN_PROMPTS_H
#define UMBER_TOOLS_UMBER_RUN_PROMPTS_H

#include "tools/umber-run/Generation.h"

namespace umber::tools {

/// Answers each line of options.promptsFile that is not empty, options.sessions
/// at a time: all of these are decoded in one pass, and where an answer ends,
/// the next prompt takes its place. Answers are printed in the order of the
/// prompts, each as soon as it and all before it are complete, and are those
/// that the prompt gets alone.
void answerPrompts(const umber_model *model, const RunOptions &options,
                   double loadMs);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_RUN_PROMPTS_H
