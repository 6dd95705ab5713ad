// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

//
// What calibration has found out about a model's products.

#ifndef UMBER_PASSES_COMPRESSION_STATISTICS_H
#define UMBER_PASSES_COMPRESSION_STATISTICS_H

#include "dialects/Umber/Parameters/DerivedStore.h"
#include "passes/Compression/Palette/OutputError.h"

namespace umber {

/// Of one matrix W in y = x W^T.
struct ProductStatistics {
  palette::ProductMoments moments;
  uint64_t identity = 0; ///< equal for equal statistics
};

/// What a model makes of text, before it is compressed.
struct Teacher {
  int64_t length = 0;        ///< of a sequence
  std::vector<int32_t> ids;  ///< sequences of tokens
  int64_t columns = 0;       ///< of the head's input
  std::vector<float> hidden; ///< the head's input, a row per token
  uint64_t identity = 0;     ///< equal for equal text and model
};

/// What is added to the diagonals of moments, over their means.
struct Damping {
  double inputs = 0.01;
  /// They come from fewer tokens, and much of them from few of these: on
  /// SmolLM2, from 8,192 tokens, 0.03, 0.3, 1 and 3 gave divergences of 0.232,
  /// 0.211, 0.205 and 0.200 on one text and of 0.181, 0.168, 0.160 and 0.164 on
  /// another (all at the same widths, but for 0.03, with its own).
  double outputs = 1.5;
};

/// A folder of statistics, a file for each matrix. Keys hold the identity of
/// the weights they were collected with.
class Statistics {
public:
  /// An empty name stands for no statistics.
  explicit Statistics(llvm::StringRef folder, Damping damping = {})
      : store(folder), folder(folder), damping(damping) {}

  bool isEmpty() const { return folder.empty(); }

  /// Of the matrix `name` with these weights. Without statistics: nothing is
  /// known of inputs and outputs. Fails if the folder has none of this matrix.
  llvm::Expected<ProductStatistics> get(llvm::StringRef name, uint64_t weights,
                                        int64_t rows, int64_t columns) const;

  bool contains(llvm::StringRef name, uint64_t weights) const;

  /// As Calibration gives them, squares of `width` x `width`.
  llvm::Error writeInputMoment(llvm::StringRef name, uint64_t weights,
                               llvm::ArrayRef<float> moment, int64_t width);
  llvm::Error writeOutputMoment(llvm::StringRef name, uint64_t weights,
                                llvm::ArrayRef<float> moment, int64_t width);

  /// Of the model whose head has these weights and so many columns. Fails if
  /// the folder has none.
  llvm::Expected<Teacher> getTeacher(uint64_t head, int64_t columns) const;
  bool containsTeacher(uint64_t head) const;
  llvm::Error writeTeacher(uint64_t head, llvm::ArrayRef<int32_t> ids,
                           int64_t length, llvm::ArrayRef<float> hidden);

  /// Which settings all of the folder's statistics were collected with, or 0;
  /// set before and after collecting.
  uint64_t getSettings() const;
  llvm::Error setSettings(uint64_t settings);

  /// For what else is found out with the statistics, by names of the caller's.
  /// There is none without statistics.
  DerivedStore &getStore() { return store; }

  /// Text that a model has written, by its settings; none if it has not.
  llvm::Expected<std::vector<int32_t>> getText(uint64_t settings) const;
  llvm::Error writeText(uint64_t settings, llvm::ArrayRef<int32_t> ids);

private:
  /// Changes `identity` with what it reads.
  llvm::Expected<std::vector<palette::SecondMoment>>
  readMoments(llvm::StringRef key, int64_t rows,
              palette::SecondMoment::Order order, double damping,
              uint64_t &identity) const;
  /// Token ids, which floats hold exactly up to 2^24.
  llvm::Expected<std::vector<int32_t>> readIds(llvm::StringRef key) const;
  llvm::Error writeIds(llvm::StringRef key, llvm::ArrayRef<int64_t> shape,
                       llvm::ArrayRef<int32_t> ids);

  DerivedStore store;
  std::string folder;
  Damping damping;
};

} // namespace umber

#endif // UMBER_PASSES_COMPRESSION_STATISTICS_H
