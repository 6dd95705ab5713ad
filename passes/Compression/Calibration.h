// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds out, by running a model over text and back, which errors of its weights
// matter.

#ifndef UMBER_PASSES_COMPRESSION_CALIBRATION_H
#define UMBER_PASSES_COMPRESSION_CALIBRATION_H

#include "dialects/Umber/Training/Executor.h"
#include "passes/Compression/RowFile.h"

namespace umber {

/// Runs segment by segment over all of the text, with one segment's weights in
/// memory and what passes between segments on disk: forward for the second
/// moments of the products' inputs; then, over a part of the text, in reverse
/// for those of the derivatives of the loss -log p(token) by their outputs,
/// tokens drawn from the model's own distribution, computing each segment's
/// values again.
class Calibration {
public:
  /// The part of the sequences, the first of them, that is run in reverse: it
  /// takes three times as long as running forward.
  static constexpr int64_t kReverseShare = 4;

  /// `ids` are sequences of `length` tokens, one after the other. `folder` is
  /// for files that nobody sees. `coupledRows` is the width of outputs'
  /// moments.
  Calibration(training::Executor &executor,
              llvm::ArrayRef<training::Segment> segments,
              llvm::ArrayRef<int32_t> ids, int64_t length,
              llvm::StringRef folder, int64_t coupledRows)
      : executor(executor), segments(segments), ids(ids), length(length),
        folder(folder), coupledRows(coupledRows) {}

  /// Called with a weight's moments when they are complete: squares of `width`
  /// x `width`, one below the other.
  using Sink = llvm::function_ref<mlir::LogicalResult(
      llvm::StringRef weight, llvm::ArrayRef<float> moments, int64_t width)>;
  /// Told how much of all is done, from 0 to 1.
  using Report = llvm::function_ref<void(double)>;

  /// Gives the second moment of each product's input. Fails with a diagnostic.
  ///
  /// Tokens as heavy as their own derivatives (Kim et al. 2025, GuidedQuant,
  /// arXiv:2505.07004) were no better here, with 32,768 of them.
  mlir::LogicalResult collectInputMoments(Sink sink, Report report);

  /// Gives half the second moment of the derivatives by each product's output,
  /// in squares for `coupledRows` rows of the weight each, the last one without
  /// the rows that there are not: for all rows of a large weight they would
  /// take more memory than it. The last product has the most rows, and none
  /// that depend on their neighbours: there, squares are for 64 at most. After
  /// collectInputMoments. Fails with a diagnostic.
  mlir::LogicalResult collectOutputMoments(Sink sink, Report report);

  /// What enters the last product, a row per token, after collectInputMoments.
  llvm::ArrayRef<float> getHidden() const { return hidden; }

private:
  training::Batch getBatch(int64_t first, int64_t count) const;
  mlir::LogicalResult readInput(size_t segment, int64_t first,
                                const training::Batch &batch,
                                training::Activations &values) const;

  training::Executor &executor;
  llvm::ArrayRef<training::Segment> segments;
  llvm::ArrayRef<int32_t> ids;
  int64_t length;
  std::string folder;
  int64_t coupledRows;
  /// boundaries[i]: what leaves segment i, later the derivatives by it.
  std::vector<RowFile> boundaries;
  std::vector<float> hidden;
};

} // namespace umber

#endif // UMBER_PASSES_COMPRESSION_CALIBRATION_H
