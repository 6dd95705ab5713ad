// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A score file: what was scored, position by position, so that two runs over
// the same text can be compared in pairs. It is a table in CSV, a line for each
// scored position:
//   chunk,position       of the token that was predicted, from 0
//   neg_log              -log p of that token
//   reference_neg_log    the same of the reference
//   divergence           KL(reference‖model)
//   agrees               1 if both have the same most probable token, else 0
// Without a reference there are only the first three.

#ifndef UMBER_TOOLS_UMBER_EVAL_SCOREFILE_H
#define UMBER_TOOLS_UMBER_EVAL_SCOREFILE_H

#include "tools/umber-eval/Evaluate.h"

#include <memory>
#include <string>

namespace umber {
class OutputFile;
} // namespace umber

namespace umber::tools {

/// Failures are ToolErrors that begin with the path.
class ScoreFile {
public:
  ScoreFile(const std::string &path, bool hasReference);
  ~ScoreFile();

  /// The next chunk's scores, the first of which is of the token at `first`.
  void append(const Scores &scores, size_t first);
  void finish();

private:
  std::unique_ptr<OutputFile> file;
  size_t chunk = 0;
};

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_EVAL_SCOREFILE_H
