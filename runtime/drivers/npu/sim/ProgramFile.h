// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A compiled model's programs and their description, without its weights, as a
// segment of a package (EngineModel.h). They are an object in CBOR (RFC 8949).

#ifndef UMBER_RUNTIME_DRIVERS_NPU_SIM_PROGRAMFILE_H
#define UMBER_RUNTIME_DRIVERS_NPU_SIM_PROGRAMFILE_H

#include "runtime/description/ModelInfo.h"
#include "runtime/drivers/npu/MatrixLayout.h"
#include "runtime/drivers/npu/sim/StepTiming.h"
#include "runtime/package/MappedFile.h"

namespace umber::npu {

struct ProgramFile {
  std::string model;
  /// The name of the description that it was compiled for.
  std::string device;
  /// The JSON of that description, which parseConfig reads.
  std::string description;
  /// Positions that the model was made for.
  int64_t contextLength = 0;
  uint64_t weightBytes = 0;
  uint64_t tableBytes = 0;
  /// Region::Adapters: scales, F32, one per rank, and the sites' matrices. All
  /// zeros is no adapter.
  int64_t adapterRank = 0;
  uint64_t adapterBytes = 0;
  uint64_t adapterScales = 0;
  std::vector<SiteLayout> sites;
  std::vector<StepProgram> steps;
  /// For reports; programs run without it.
  std::optional<ModelInfo> info;
};

/// InvalidArgument if a program cannot be encoded.
Result<std::vector<uint8_t>> writeProgramFile(const ProgramFile &file);

/// CorruptFile: `expected …, found …` at the first thing that is wrong. What
/// programs do is checked by whoever runs them.
Result<ProgramFile> readProgramFile(Bytes bytes);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_SIM_PROGRAMFILE_H
