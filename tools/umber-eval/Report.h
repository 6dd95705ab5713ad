// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_EVAL_REPORT_H
#define UMBER_TOOLS_UMBER_EVAL_REPORT_H

#include "tools/umber-eval/Evaluate.h"

namespace umber::tools {

/// Shows the perplexity so far on standard error, if that is a terminal.
void showProgress(const Scores &scores, size_t done, size_t chunks);

/// A few lines for a person, or one JSON object, on standard output.
void printText(const EvalOptions &options, const Evaluation &evaluation);
void printJson(const EvalOptions &options, const Evaluation &evaluation);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_EVAL_REPORT_H
