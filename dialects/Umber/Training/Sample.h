// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_DIALECTS_UMBER_TRAINING_SAMPLE_H
#define UMBER_DIALECTS_UMBER_TRAINING_SAMPLE_H

#include "dialects/Umber/Training/Executor.h"

namespace umber::training {

struct SampleOptions {
  int64_t sequences = 64, length = 512;
  uint64_t seed = 0;
  /// Logits are divided by it. Below 1, text makes more sense but has less in
  /// it: at 0.8, a 3.5-bit model of 135M parameters diverged by a quarter more.
  float temperature = 1.0f;
};

/// Sequences that the model itself writes, each from a first token that is
/// drawn from the whole vocabulary (Liu et al. 2023, LLM-QAT, arXiv:2305.17888,
/// section 3.1). Gives sequences x length token ids. `report` is told how much
/// is done, from 0 to 1. Fails with a diagnostic.
mlir::FailureOr<std::vector<int32_t>>
sampleSequences(Executor &executor, llvm::ArrayRef<Segment> segments,
                const SampleOptions &options,
                llvm::function_ref<void(double)> report);

} // namespace umber::training

#endif // UMBER_DIALECTS_UMBER_TRAINING_SAMPLE_H
