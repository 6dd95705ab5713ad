// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-report/PhaseSimulation.h"

#include "runtime/drivers/npu/EngineModel.h"
#include "tools/common/Handles.h"

#include <algorithm>

namespace umber::tools {

using namespace npu;

PhaseSimulation::PhaseSimulation(const ProgramFile &programs,
                                 const Config &config, const Phase &phase)
    : programs(programs), config(config), phase(phase),
      model(programs.info.value_or(ModelInfo())) {
  const char *name = phase.isDecode ? "decode" : "prefill";
  for (const StepProgram &each : programs.steps) {
    if (each.name == name) {
      step = &each;
    }
  }
  if (!step) {
    throw ToolError("expected a program for " + phase.text() + ", found none");
  }
}

PhaseTiming PhaseSimulation::time(const Config &hardware,
                                  const StepProgram &program, int64_t count,
                                  const CommandVisitor &visit) const {
  int64_t capacity = getCapacity(programs.contextLength);
  auto timed = phase.isDecode
                   ? timeDecode(hardware, program, count, capacity, visit)
                   : timePrefill(hardware, program, count, capacity, visit);
  if (!timed.ok()) {
    throw ToolError(phase.text() + ": " + timed.status().message());
  }
  return std::move(*timed);
}

std::vector<TimedCommand> PhaseSimulation::getCommands() const {
  std::vector<TimedCommand> commands;
  int64_t count =
      phase.isDecode ? phase.count : std::min(phase.count, step->rows);
  time(config, *step, count,
       [&](const TimedCommand &command) { commands.push_back(command); });
  return commands;
}

static bool isBodyPalette(const MatrixInfo &matrix) {
  return matrix.isBody && matrix.bits < 8;
}

bool PhaseSimulation::hasPalettes() const {
  return std::any_of(model.matrices.begin(), model.matrices.end(),
                     isBodyPalette);
}

StepProgram PhaseSimulation::withBits(int64_t bits) const {
  StepProgram changed = *step;
  auto isChanged = [&](const DramAddress &from) {
    return from.region == Region::Weights &&
           std::any_of(model.matrices.begin(), model.matrices.end(),
                       [&](const MatrixInfo &matrix) {
                         return isBodyPalette(matrix) &&
                                matrix.begin <= from.offset &&
                                from.offset < matrix.end;
                       });
  };
  const DecoderConfig &decoder = config.decoder;
  for (Instruction &instruction : changed.program) {
    if (auto *table = std::get_if<LoadTable>(&instruction.operation);
        table && bits < 8 && isChanged(table->from)) {
      table->entries = static_cast<uint16_t>(1 << bits);
    }
    auto *stream = std::get_if<StreamWeights>(&instruction.operation);
    if (!stream || !isChanged(stream->from)) {
      continue;
    }
    stream->isPalette = bits < 8;
    stream->bits = static_cast<uint8_t>(bits);
    stream->storageBits =
        static_cast<uint8_t>(bits == 3   ? decoder.threeBitStorage
                             : bits == 6 ? decoder.sixBitStorage
                                         : bits);
    if (bits == 8) {
      stream->rowsPerScale = 1;
    }
  }
  return changed;
}

} // namespace umber::tools
