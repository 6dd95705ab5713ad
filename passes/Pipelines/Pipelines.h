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
  Option<double> bits{*this, "bits",
                      llvm::cl::desc("bits per weight of the body, all bytes "
                                     "counted: 1 to 8, 16 or 32"),
                      llvm::cl::init(16)};
  ListOption<int64_t> choices{
      *this, "choices",
      llvm::cl::desc("widths to choose from: 1, 2, 3, 4, 6, 8, 16")};
  ListOption<std::string> lora{
      *this, "lora",
      llvm::cl::desc("adapters to merge into the weights, PATH[:SCALE] each")};
  Option<std::string> recipe{
      *this, "recipe",
      llvm::cl::desc(
          "JSON file with a width for every matrix, instead of bits, "
          "choices and embedding-bits")};
  Option<std::string> statistics{
      *this, "statistics",
      llvm::cl::desc("folder of what calibration has collected; without, all "
                     "inputs and outputs count alike")};
  Option<int64_t> calibrationSequences{
      *this, "calibration-sequences",
      llvm::cl::desc("sequences to collect statistics from; 0: none are "
                     "collected"),
      llvm::cl::init(0)};
  Option<int64_t> calibrationLength{
      *this, "calibration-length",
      llvm::cl::desc("tokens of a sequence to collect statistics from"),
      llvm::cl::init(512)};
  ListOption<std::string> tokens{
      *this, "tokens",
      llvm::cl::desc("files of token ids to collect statistics from")};
  Option<bool> writeText{
      *this, "write-text",
      llvm::cl::desc("let the model write text, too; without files, it does"),
      llvm::cl::init(false)};
  Option<int64_t> coupledRows{
      *this, "coupled-rows",
      llvm::cl::desc("rows of a weight whose errors are weighed together, a "
                     "multiple of 16; fewer take less time"),
      llvm::cl::init(2048)};
  Option<bool> reuseStatistics{
      *this, "reuse-statistics",
      llvm::cl::desc("take statistics that are there, whatever their text"),
      llvm::cl::init(false)};
  Option<int64_t> tuneSteps{
      *this, "tune-steps",
      llvm::cl::desc("steps of tuning tables on the uncompressed model's "
                     "output; needs statistics"),
      llvm::cl::init(0)};
  Option<int64_t> refineRounds{
      *this, "refine-rounds",
      llvm::cl::desc("rounds of refinement of palettes: fewer are faster, and "
                     "worse"),
      llvm::cl::init(4)};
  Option<double> inputDamping{
      *this, "input-damping",
      llvm::cl::desc("how much is added to the diagonal of inputs' second "
                     "moment, over its mean: more where they are from few "
                     "tokens"),
      llvm::cl::init(0.01)};
  Option<double> outputDamping{
      *this, "output-damping",
      llvm::cl::desc("how much is added to the diagonal of the second moment "
                     "of the derivatives by a matrix's outputs, over its mean; "
                     "a very large number leaves rows uncoupled"),
      llvm::cl::init(1.5)};
  Option<int64_t> recoverRank{
      *this, "recover-rank",
      llvm::cl::desc(
          "rank of the corrections of palettes, where they gain more "
          "than wider codes; 0: none"),
      llvm::cl::init(0)};
  Option<bool> recoverAll{
      *this, "recover-all",
      llvm::cl::desc("correct every palette, also where wider codes gain more"),
      llvm::cl::init(false)};
  Option<int64_t> recoverBits{
      *this, "recover-bits",
      llvm::cl::desc("bits per element of corrections: 8 or 16"),
      llvm::cl::init(16)};
  Option<bool> rotate{
      *this, "rotate",
      llvm::cl::desc("rotate the residual stream, and values with outputs"),
      llvm::cl::init(true)};
  Option<std::string> derived{*this, "derived",
                              llvm::cl::desc("folder for derived parameters")};
  Option<int64_t> embeddingBits{
      *this, "embedding-bits",
      llvm::cl::desc("bits per weight of embeddings and head: 4, 8 or 16; 0: 8 "
                     "in a compressed model, else as many as the body's"),
      llvm::cl::init(0)};
  Option<int64_t> activationBits{
      *this, "activation-bits",
      llvm::cl::desc("bits per input of a product: 8 or 32; 0: 8 in a "
                     "compressed model, else 32"),
      llvm::cl::init(0)};
  Option<int64_t> kvBits{
      *this, "kv-bits",
      llvm::cl::desc(
          "bits per element of the key/value cache: 4, 8, 16 or 32; 0: as "
          "many as were chosen before, or 8 in a compressed model, else as "
          "many "
          "as the body's"),
      llvm::cl::init(0)};
  Option<int64_t> maxTokens{
      *this, "max-tokens",
      llvm::cl::desc("rows that one step of the prefill can take"),
      llvm::cl::init(64)};

  /// Whether the body's matrices are encoded, with widths that are chosen.
  bool isCompressed() const { return bits <= 8 || !recipe.empty(); }
  /// Whether any matrix is.
  bool hasEncoded() const {
    return isCompressed() || (embeddingBits != 0 && embeddingBits < bits);
  }
  /// Whether there are derived parameters.
  bool hasDerived() const { return hasEncoded() || !lora.empty(); }
  /// The folder of statistics; by default they are with derived parameters.
  std::string getStatistics() const;
  int64_t getActivationBits() const;
  int64_t getKvBits() const;
};

/// Adds the passes of one phase; those of Import and Emit are not passes.
void addPhase(mlir::OpPassManager &pm, Phase phase,
              const PipelineOptions &options);

/// Registers every pass of Umber, and each phase's passes as a pipeline named
/// umber-PHASE-pipeline.
void registerPasses();

} // namespace umber

#endif // UMBER_PASSES_PIPELINES_PIPELINES_H
