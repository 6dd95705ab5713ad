// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Pipelines/Pipelines.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
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

void addPhase(OpPassManager &pm, Phase phase, const PipelineOptions &options) {
  switch (phase) {
  case Phase::Import:
  case Phase::Lower:
  case Phase::Emit:
    return;
  case Phase::Compress:
    pm.addPass(createVerifyModelPass());
    pm.addPass(createConvertWeightsPass({options.bits}));
    return;
  case Phase::Quantize:
    pm.addPass(createQuantizeKVCachePass({options.kvBits}));
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
