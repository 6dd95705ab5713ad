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
    stages = {{"import", 0.1}, {"compress", 4}};
    auto sequences = double(pipeline.calibrationSequences.getValue());
    if (sequences != 0) {
      bool doesWrite = options.texts.empty() || pipeline.writeText;
      if (doesWrite) {
        stages.push_back({"sample", 1.8 * sequences});
      }
      sequences *= double(options.texts.size()) + doesWrite;
      stages.push_back({"calibrate", 3.4 * sequences});
    }
    if (options.pipeline->recipe.empty()) {
      stages.push_back({"measure", isFast ? 50.0 : 145.0});
    }
    stages.push_back({"palettize", isFast ? 70.0 : 210.0});
    stages.push_back({"embeddings", 7});
  }
  stages.push_back({"quantize", 0});
  if (options.pipeline->isCompressed() && options.pipeline->tuneSteps != 0) {
    stages.push_back(
        {"tune", 4.0 * double(options.pipeline->tuneSteps.getValue())});
  }
  stages.push_back({"fuse", 0});
  if (options.emit == Emit::Package) {
    stages.push_back({"code", 2.0 * double(options.isas.size())});
    stages.push_back({"weights", 1});
  }
  return stages;
}

} // namespace umber::compile
