// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Pipelines/Pipelines.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Adapters/Passes.h"
#include "passes/Compression/Passes.h"
#include "passes/Fusion/Passes.h"
#include "passes/Specialization/Passes.h"
#include "passes/Verify/Passes.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace umber {

static constexpr std::pair<Phase, llvm::StringLiteral> kPhases[] = {
    {Phase::Import, "import"},     {Phase::Compress, "compress"},
    {Phase::Quantize, "quantize"}, {Phase::Fuse, "fuse"},
    {Phase::Lower, "lower"},       {Phase::Emit, "emit"}};

llvm::StringRef getPhaseName(Phase phase) {
  return llvm::find_if(kPhases,
                       [&](const auto &entry) { return entry.first == phase; })
      ->second;
}

std::optional<Phase> parsePhase(llvm::StringRef name) {
  for (const auto &[phase, phaseName] : kPhases) {
    if (phaseName == name) {
      return phase;
    }
  }
  return std::nullopt;
}

std::string PipelineOptions::getStatistics() const {
  bool areDerived = statistics.empty() && calibrationSequences != 0;
  return areDerived ? derived : statistics;
}

int64_t PipelineOptions::getActivationBits() const {
  if (activationBits != 0) {
    return activationBits;
  }
  return isCompressed() ? 8 : 32;
}

int64_t PipelineOptions::getKvBits() const {
  if (kvBits != 0) {
    return kvBits;
  }
  return isCompressed() ? 8 : static_cast<int64_t>(bits);
}

/// Corrections are of what the passes before have encoded.
static void addRecovery(OpPassManager &pm, const PipelineOptions &options) {
  if (!options.isCompressed() ||
      (options.recoverRank == 0 && options.recipe.empty())) {
    return;
  }
  RecoverPassOptions recover;
  if (options.recipe.empty()) {
    recover.rank = options.recoverRank;
  }
  recover.all = options.recoverAll;
  recover.factorBits = options.recoverBits;
  recover.recipe = options.recipe;
  recover.bits = options.bits;
  llvm::append_range(recover.choices, options.choices);
  recover.refineRounds = options.refineRounds;
  recover.statistics = options.getStatistics();
  recover.inputDamping = options.inputDamping;
  recover.outputDamping = options.outputDamping;
  recover.derived = options.derived;
  pm.addPass(createRecoverPass(recover));
}

static void addCompression(OpPassManager &pm, const PipelineOptions &options) {
  if (options.isCompressed()) {
    pm.addPass(createAbsorbNormsPass({options.derived}));
    if (options.rotate) {
      pm.addPass(createRotatePass({options.derived}));
    }
    // It sees the weights that are then encoded.
    if (options.calibrationSequences != 0) {
      CalibratePassOptions calibrate;
      calibrate.sequences = options.calibrationSequences;
      calibrate.length = options.calibrationLength;
      llvm::append_range(calibrate.tokens, options.tokens);
      calibrate.write = options.writeText;
      calibrate.coupledRows = options.coupledRows;
      calibrate.reuse = options.reuseStatistics;
      calibrate.statistics = options.getStatistics();
      pm.addPass(createCalibratePass(calibrate));
    }
    PalettizePassOptions palettize;
    palettize.bits = options.bits;
    llvm::append_range(palettize.choices, options.choices);
    palettize.refineRounds = options.refineRounds;
    palettize.inputDamping = options.inputDamping;
    palettize.outputDamping = options.outputDamping;
    palettize.recipe = options.recipe;
    palettize.statistics = options.getStatistics();
    palettize.derived = options.derived;
    pm.addPass(createPalettizePass(palettize));
  } else {
    pm.addPass(createConvertWeightsPass({static_cast<int64_t>(options.bits)}));
  }
  if (options.hasEncoded()) {
    QuantizeEmbeddingsPassOptions embeddings;
    embeddings.bits = options.embeddingBits != 0 ? options.embeddingBits : 8;
    embeddings.refineRounds = options.refineRounds;
    embeddings.inputDamping = options.inputDamping;
    embeddings.outputDamping = options.outputDamping;
    embeddings.recipe = options.recipe;
    // Calibration is part of compressing the body.
    embeddings.statistics =
        options.isCompressed() ? options.getStatistics() : std::string();
    embeddings.derived = options.derived;
    pm.addPass(createQuantizeEmbeddingsPass(embeddings));
  }
  addRecovery(pm, options);
}

void addPhase(OpPassManager &pm, Phase phase, const PipelineOptions &options) {
  switch (phase) {
  case Phase::Import:
  case Phase::Lower:
  case Phase::Emit:
    return;
  case Phase::Compress:
    pm.addPass(createVerifyModelPass());
    if (!options.lora.empty()) {
      MergeAdaptersPassOptions merge;
      llvm::append_range(merge.adapters, options.lora);
      merge.derived = options.derived;
      pm.addPass(createMergeAdaptersPass(merge));
    }
    addCompression(pm, options);
    return;
  case Phase::Quantize:
    if (options.getActivationBits() != 32) {
      QuantizeActivationsPassOptions activations;
      activations.bits = options.getActivationBits();
      activations.plain = !options.isCompressed();
      pm.addPass(createQuantizeActivationsPass(activations));
    }
    if (options.isCompressed() && options.tuneSteps != 0) {
      TuneTablesPassOptions tune;
      tune.steps = options.tuneSteps;
      tune.statistics = options.getStatistics();
      pm.addPass(createTuneTablesPass(tune));
    }
    // IR that went through this before keeps its cache unless asked otherwise.
    pm.addPass(createQuantizeKVCachePass(
        {options.getKvBits(), /*keepChosen=*/options.kvBits == 0}));
    pm.addPass(createAttachAdaptersPass());
    pm.addPass(createVerifyModelPass());
    return;
  case Phase::Fuse: {
    SpecializePassOptions specialize;
    specialize.tokens = {1, options.maxTokens};
    pm.addPass(createSpecializePass(specialize));
    pm.addPass(createVerifyModelPass());
    pm.addNestedPass<func::FuncOp>(createFusePass());
    pm.addPass(createCanonicalizerPass());
    pm.addNestedPass<func::FuncOp>(createVerifyFusedPass());
    return;
  }
  }
}

void registerPasses() {
  registerUmberAdaptersPasses();
  registerUmberCompressionPasses();
  registerUmberFusionPasses();
  registerUmberSpecializationPasses();
  registerUmberVerifyPasses();
  for (const auto &entry : kPhases) {
    Phase phase = entry.first;
    if (phase == Phase::Import || phase == Phase::Emit ||
        phase == Phase::Lower) {
      continue;
    }
    std::string name = ("umber-" + entry.second + "-pipeline").str();
    std::string text = ("the passes of the phase '" + entry.second + "'").str();
    PassPipelineRegistration<PipelineOptions>(
        name, text, [phase](OpPassManager &pm, const PipelineOptions &options) {
          addPhase(pm, phase, options);
        });
  }
}

} // namespace umber
