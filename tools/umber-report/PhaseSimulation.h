// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_REPORT_PHASESIMULATION_H
#define UMBER_TOOLS_UMBER_REPORT_PHASESIMULATION_H

#include "runtime/drivers/npu/sim/ProgramFile.h"
#include "tools/common/Phase.h"

namespace umber::tools {

/// A phase of a model on a neural engine, and the same with changes. For any
/// number of threads at once.
class PhaseSimulation {
public:
  /// `programs` and `config` outlive it. ToolError if there is no such program.
  PhaseSimulation(const npu::ProgramFile &programs, const npu::Config &config,
                  const Phase &phase);

  /// ToolError if the program cannot run.
  npu::PhaseTiming time(const npu::CommandVisitor &visit = {}) const {
    return time(config, *step, phase.count, visit);
  }
  /// On other hardware; of another program; of another count.
  npu::PhaseTiming time(const npu::Config &hardware,
                        const npu::StepProgram &program, int64_t count,
                        const npu::CommandVisitor &visit = {}) const;

  /// Of the phase's first step.
  std::vector<npu::TimedCommand> getCommands() const;

  /// Whether there are palettes in the body, as withBits() changes.
  bool hasPalettes() const;
  /// The program with all palettes of the body at this width, or as integers of
  /// 8 bits. It is for time alone: its addresses are those of the other widths.
  npu::StepProgram withBits(int64_t bits) const;

  const npu::ProgramFile &programs;
  const npu::Config &config;
  Phase phase;
  const npu::StepProgram *step = nullptr;
  /// Empty if the file has none.
  ModelInfo model;
};

} // namespace umber::tools

#endif // UMBER_TOOLS_UMBER_REPORT_PHASESIMULATION_H
