// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What umber-run prints and writes.

#ifndef UMBER_TOOLS_UMBER_RUN_OUTPUT_H
#define UMBER_TOOLS_UMBER_RUN_OUTPUT_H

#include "tools/umber-run/Generation.h"

namespace umber::tools {

/// Writes to stdout at once. ToolError if that fails, as on a full disk.
void printNow(std::string_view text);

/// One JSON object on stdout: prompt_ids, ids, text, stop_reason, timings. The
/// text's invalid UTF-8, if any, becomes U+FFFD.
void printJson(const Generation &generation, double loadMs);

/// Prompt and generation speed on stderr.
void printSpeeds(const Generation &generation, double loadMs);

/// What all of the answers took together, on stderr, where `sessions` of them
/// were made at a time.
void printTotals(const std::vector<Generation> &answers, size_t sessions,
                 double loadMs, double totalMs);

/// The devices of this machine on stdout, one a line.
void printDevices();

/// Writes little-endian f32 to a temporary file that is renamed when complete.
void writeLogits(const std::string &path, const float *logits, size_t count);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_RUN_OUTPUT_H
