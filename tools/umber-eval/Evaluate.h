// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs a model over a text in chunks and scores the second half of each, as
// llama-perplexity does.

#ifndef UMBER_TOOLS_UMBER_EVAL_EVALUATE_H
#define UMBER_TOOLS_UMBER_EVAL_EVALUATE_H

#include "tools/common/DeviceOptions.h"
#include "tools/umber-eval/Statistics.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace umber::tools {

struct EvalOptions {
  std::string package;
  std::string text;                      ///< path
  std::optional<std::string> reference;  ///< path of another package
  std::optional<std::string> base;       ///< path of a base file to read
  std::optional<std::string> saveBase;   ///< path of a base file to write
  std::optional<std::string> saveScores; ///< path of a score file to write
  int32_t baseTop = 128;                 ///< tokens to keep for a position
  int32_t context = 512;                 ///< tokens in a chunk
  std::optional<int32_t> chunks;         ///< at most so many
  int32_t threads = 0;
  DeviceOptions device;
};

/// One value for each scored position; the last three are empty without a
/// reference.
struct Scores {
  std::vector<double> negativeLogs; ///< -log p of the token that follows
  std::vector<double> referenceNegativeLogs;
  std::vector<double> divergences; ///< KL(reference‖model)
  std::vector<bool> agreements;    ///< the same most probable token?

  bool hasReference() const { return !divergences.empty(); }
  Estimate agreement() const;
  void append(const Scores &other);
};

struct Evaluation {
  std::vector<Scores> chunks;
  Scores total;
  bool isLowerBound = false; ///< divergences come from a base file
};

/// Called after each chunk: the scores up to there, chunks done, chunks in all.
using ChunkCallback = std::function<void(const Scores &, size_t, size_t)>;

/// Throws ToolError.
Evaluation evaluate(const EvalOptions &options, const ChunkCallback &progress);

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_EVAL_EVALUATE_H
