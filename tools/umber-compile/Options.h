// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_TOOLS_UMBER_COMPILE_OPTIONS_H
#define UMBER_TOOLS_UMBER_COMPILE_OPTIONS_H

#include "passes/Pipelines/Pipelines.h"
#include "runtime/drivers/npu/Config.h"
#include "targets/CPU/CPUTarget.h"
#include "targets/GPU/GPUTarget.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>
#include <vector>

namespace umber::compile {

/// What to write.
enum class Emit {
  MLIR,
  LLVM,
  Assembly,
  Object,
  Package,
  EngineAssembly,
  SPIRV,
  PTX
};

/// The command line, checked.
struct Options {
  std::string input;
  std::string output; ///< "-": standard output
  Emit emit = Emit::Package;
  std::unique_ptr<PipelineOptions> pipeline =
      std::make_unique<PipelineOptions>();
  unsigned threads = 0;           ///< 0: all cores
  std::string report;             ///< JSON; "-": standard output; empty: none
  std::string saveRecipe;         ///< empty: nowhere
  std::vector<std::string> texts; ///< files to calibrate with
  /// The folder for derived parameters; empty if there are none.
  std::string scratch;
  /// Whether IR is written that names them: then they are to stay.
  bool keepsDerived = false;
  /// Those asked for, or all.
  std::vector<const cpu::InstructionSet *> isas;
  /// Whether those of them that a model has no use for are left out.
  bool choosesIsas = false;
  /// Whether to compile for a GPU instead of the CPU, and what code for.
  bool isForGpu = false;
  std::vector<const gpu::Variant *> gpuVariants;
  /// The neural engine to compile for, instead of the CPU.
  std::optional<npu::Config> engine;
  /// Of the adapters that a neural engine's programs have room for.
  int64_t adapterRank = 0;
  Phase compileTo = Phase::Emit;
  std::string dumpPhasesTo; ///< empty: nowhere
};

/// Reads the command line. Errors are for a person, without the tool's name.
llvm::Expected<Options> parseOptions(int argc, char **argv);

} // namespace umber::compile

#endif // UMBER_TOOLS_UMBER_COMPILE_OPTIONS_H
