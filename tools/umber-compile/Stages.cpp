// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-compile/Stages.h"

namespace umber::compile {

// Shares are seconds that the test model took on one machine: only their ratios
// matter.
std::vector<Stage> getStages(const Options &options) {
  std::vector<Stage> stages = {{"import", 0.1}, {"compress", 0.1}};
  if (options.pipeline->isCompressed() && !options.scratch.empty()) {
    bool isFast = options.pipeline->refineRounds < 4;
    stages = {{"import", 0.1}, {"compress", 4}};
    if (options.pipeline->recipe.empty()) {
      stages.push_back({"measure", isFast ? 50.0 : 145.0});
    }
    stages.push_back({"palettize", isFast ? 70.0 : 210.0});
    stages.push_back({"embeddings", 7});
  }
  stages.push_back({"quantize", 0});
  stages.push_back({"fuse", 0});
  if (options.emit == Emit::Package) {
    for (const cpu::InstructionSet *isa : options.isas) {
      stages.push_back({("code for " + isa->name).str(), 1});
    }
    stages.push_back({"weights", 1});
  }
  return stages;
}

} // namespace umber::compile
