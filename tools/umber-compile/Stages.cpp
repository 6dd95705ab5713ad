// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-compile/Stages.h"

namespace umber::compile {

// Shares are seconds that the test model took on one machine: only their ratios
// matter.
std::vector<Stage> getStages(const Options &options) {
  std::vector<Stage> stages = {{"import", 0.1}, {"compress", 0.1}};
  if (options.pipeline->isCompressed() && !options.scratch.empty()) {
    const PipelineOptions &pipeline = *options.pipeline;
    bool isFast = pipeline.refineRounds == 0;
    stages = {{"import", 0.1}, {"compress", 2}};
    auto tokens = double(pipeline.calibrationSequences.getValue() *
                         pipeline.calibrationLength.getValue());
    if (tokens != 0) {
      bool doesWrite = options.texts.empty() || pipeline.writeText;
      if (doesWrite) {
        stages.push_back({"sample", 0.0066 * tokens});
      }
      tokens *= double(options.texts.size()) + doesWrite;
      stages.push_back({"calibrate", 0.0063 * tokens});
    }
    if (options.pipeline->recipe.empty()) {
      stages.push_back({"measure", isFast ? 3.5 : 55.0});
    }
    stages.push_back({"palettize", isFast ? 15.0 : 99.0});
    stages.push_back({"embeddings", 2.5});
    if (pipeline.recoverRank != 0) {
      stages.push_back({"recover", 25.0});
    }
  }
  stages.push_back({"quantize", 0});
  if (options.pipeline->isCompressed() && options.pipeline->tuneSteps != 0) {
    stages.push_back(
        {"tune", 4.0 * double(options.pipeline->tuneSteps.getValue())});
  }
  stages.push_back({"fuse", 0});
  if (options.emit == Emit::Package) {
    stages.push_back({"code", 2.3 * double(options.isas.size() +
                                           options.gpuVariants.size())});
    stages.push_back({"weights", 1});
  }
  return stages;
}

} // namespace umber::compile
