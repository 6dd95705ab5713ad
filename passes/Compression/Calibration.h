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
/// for the derivatives of the loss -log p(token) by their outputs, tokens drawn
/// from the model's own distribution, computing each segment's values again.
class Calibration {
public:
  /// The part of the sequences, the first of them, that is run in reverse: a
  /// derivative's mean square needs fewer tokens than a matrix of moments.
  static constexpr int64_t kReverseShare = 4;

  /// `ids` are sequences of `length` tokens, one after the other. `folder` is
  /// for files that nobody sees.
  Calibration(training::Executor &executor,
              llvm::ArrayRef<training::Segment> segments,
              llvm::ArrayRef<int32_t> ids, int64_t length,
              llvm::StringRef folder)
      : executor(executor), segments(segments), ids(ids), length(length),
        folder(folder) {}

  /// Called with what there is of a weight when it is complete.
  using Sink = llvm::function_ref<mlir::LogicalResult(
      llvm::StringRef weight, llvm::ArrayRef<float> values)>;
  /// Told how much of all is done, from 0 to 1.
  using Report = llvm::function_ref<void(double)>;

  /// Gives the second moment of each product's input, columns x columns. Fails
  /// with a diagnostic.
  ///
  /// Tokens as heavy as their own derivatives (Kim et al. 2025, GuidedQuant,
  /// arXiv:2505.07004) were no better here, with 32,768 of them.
  mlir::LogicalResult collectMoments(Sink sink, Report report);

  /// Gives half the mean square of the derivatives per row of each weight.
  /// After collectMoments. Fails with a diagnostic.
  mlir::LogicalResult collectSensitivities(Sink sink, Report report);

  /// What enters the last product, a row per token, after collectMoments.
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
  /// boundaries[i]: what leaves segment i, later the derivatives by it.
  std::vector<RowFile> boundaries;
  std::vector<float> hidden;
};

} // namespace umber

#endif // UMBER_PASSES_COMPRESSION_CALIBRATION_H
