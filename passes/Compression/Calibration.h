// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds out, by running a model over text and back, which errors of its weights
// matter.

#ifndef UMBER_PASSES_COMPRESSION_CALIBRATION_H
#define UMBER_PASSES_COMPRESSION_CALIBRATION_H

#include "dialects/Umber/Training/Executor.h"
#include "passes/Compression/Statistics.h"

namespace umber {

/// Runs segment by segment over all of the text, with one segment's weights in
/// memory: forward, keeping what passes between segments on disk; then in
/// reverse, from the derivatives of the loss -log p(token), tokens drawn from
/// the model's own distribution, computing each segment's values again.
class Calibration {
public:
  /// `ids` are sequences of `length` tokens, one after the other. `folder` is
  /// for files that nobody sees.
  Calibration(training::Executor &executor,
              llvm::ArrayRef<training::Segment> segments,
              llvm::ArrayRef<int32_t> ids, int64_t length,
              llvm::StringRef folder)
      : executor(executor), segments(segments), ids(ids), length(length),
        folder(folder) {}

  /// Called with a weight's statistics when they are complete: the second
  /// moment of its inputs, and half the mean square of the derivatives by its
  /// outputs, per row. (Tokens as heavy as their own derivatives, GuidedQuant's
  /// moments, were no better here with 32,768 of them.)
  using Sink = llvm::function_ref<mlir::LogicalResult(
      llvm::StringRef weight, llvm::ArrayRef<float> moment,
      llvm::ArrayRef<float> rowWeights)>;

  /// What enters the last product, a row per token; complete once run() is.
  llvm::ArrayRef<float> getHidden() const { return hidden; }

  /// Fails with a diagnostic. `report` is told how much is done, from 0 to 1.
  mlir::LogicalResult run(Sink sink, llvm::function_ref<void(double)> report);

private:
  training::Executor &executor;
  llvm::ArrayRef<training::Segment> segments;
  llvm::ArrayRef<int32_t> ids;
  int64_t length;
  std::string folder;
  std::vector<float> hidden;
};

} // namespace umber

#endif // UMBER_PASSES_COMPRESSION_CALIBRATION_H
