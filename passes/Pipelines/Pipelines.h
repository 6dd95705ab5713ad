// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order of passes, by named phase, for umber-compile and umber-opt alike.

#ifndef UMBER_PASSES_PIPELINES_PIPELINES_H
#define UMBER_PASSES_PIPELINES_PIPELINES_H

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"
#include <optional>

namespace umber {

/// The phases of compilation, in their order.
enum class Phase { Import, Compress, Quantize, Fuse, Lower, Emit };

llvm::StringRef getPhaseName(Phase phase);
std::optional<Phase> parsePhase(llvm::StringRef name);

struct PipelineOptions : mlir::PassPipelineOptions<PipelineOptions> {
  Option<int64_t> bits{*this, "bits",
                       llvm::cl::desc("bits per weight of the body: 16 or 32"),
                       llvm::cl::init(16)};
  Option<int64_t> kvBits{
      *this, "kv-bits",
      llvm::cl::desc("bits per element of the key/value cache: 16 or 32"),
      llvm::cl::init(16)};
  Option<int64_t> maxTokens{
      *this, "max-tokens",
      llvm::cl::desc("rows that one step of the prefill can take"),
      llvm::cl::init(64)};
};

/// Adds the passes of one phase; those of Import and Emit are not passes.
void addPhase(mlir::OpPassManager &pm, Phase phase,
              const PipelineOptions &options);

/// Registers every pass of Umber, and each phase's passes as a pipeline named
/// umber-PHASE-pipeline.
void registerPasses();

} // namespace umber

#endif // UMBER_PASSES_PIPELINES_PIPELINES_H
