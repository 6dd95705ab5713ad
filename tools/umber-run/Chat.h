// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Interactive chat: lines from stdin, answers to stdout.

#ifndef UMBER_TOOLS_UMBER_RUN_CHAT_H
#define UMBER_TOOLS_UMBER_RUN_CHAT_H

#include "tools/umber-run/Generation.h"

namespace umber::tools {

/// Answers each line of stdin until it ends. The conversation is rendered anew
/// for each turn, and what the session already holds of it is kept.
void chat(const umber_model *model, const RunOptions &options);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_RUN_CHAT_H
