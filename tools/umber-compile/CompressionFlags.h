// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The part of the command line that says how a model is compressed.

#ifndef UMBER_TOOLS_UMBER_COMPILE_COMPRESSIONFLAGS_H
#define UMBER_TOOLS_UMBER_COMPILE_COMPRESSIONFLAGS_H

#include "passes/Pipelines/Pipelines.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Error.h"
#include <string>

namespace umber::compile {

/// Numbers are taken as text, for messages that say what is expected.
struct CompressionFlags {
  explicit CompressionFlags(llvm::cl::OptionCategory &category);

  /// Fails with a line that names the flag.
  llvm::Error check(PipelineOptions &pipeline) const;

  llvm::cl::opt<std::string> bits, embeddingBits, activationBits, kvBits;
  llvm::cl::list<std::string> bitChoices;
  llvm::cl::opt<std::string> recipe, statistics;
  llvm::cl::list<std::string> calibrate;
  llvm::cl::opt<int64_t> tuneSteps;
  llvm::cl::opt<int64_t> recoverRank;
  llvm::cl::opt<bool> recoverAll;
  llvm::cl::opt<std::string> recoverBits;
  llvm::cl::opt<bool> fast;
  llvm::cl::opt<std::string> pipelineOptions;

  /// The files of --calibrate.
  std::vector<std::string> getTexts() const;

private:
  llvm::Error checkWidths(PipelineOptions &pipeline) const;
  llvm::Error checkCalibration(PipelineOptions &pipeline) const;
  llvm::Error checkRecovery(PipelineOptions &pipeline) const;
};

} // namespace umber::compile

#endif // UMBER_TOOLS_UMBER_COMPILE_COMPRESSIONFLAGS_H
