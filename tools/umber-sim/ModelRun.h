// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A compiled model on the functional simulator: one sequence, from its first
// token on.

#ifndef UMBER_TOOLS_UMBER_SIM_MODELRUN_H
#define UMBER_TOOLS_UMBER_SIM_MODELRUN_H

#include "runtime/drivers/npu/EngineModel.h"
#include "runtime/drivers/npu/sim/Machine.h"
#include "runtime/drivers/npu/sim/Workers.h"

namespace umber::tools {

class ModelRun {
public:
  /// A sequence of up to `positions` tokens. `model` has data, and it and
  /// `package` outlive this. `threads`: 0 for all cores.
  ModelRun(const Package &package, const npu::EngineModel &model,
           int64_t positions, unsigned threads);

  /// Appends tokens with a step's program, as many at a time as it has rows,
  /// or `chunk` if that is not 0 and less. Fails where a token is not of the
  /// vocabulary, or with what the simulator says of a program.
  Status append(const npu::StepProgram &step,
                const std::vector<int32_t> &tokens, int64_t chunk);

  /// [vocab], after the last token.
  const std::vector<float> &getLogits() const { return logits; }

private:
  const npu::EngineModel &model;
  npu::Machine machine;
  npu::Workers workers;
  int64_t vocab;
  int64_t capacity;
  int64_t position = 0;
  std::vector<uint8_t> adapters, cache, activations, io;
  std::vector<float> logits;
};

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_SIM_MODELRUN_H
