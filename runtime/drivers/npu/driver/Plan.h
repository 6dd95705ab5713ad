// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a package's target for a neural engine asks to be run, checked and
// resolved as far as it is the same for every session.

#ifndef UMBER_RUNTIME_DRIVERS_NPU_DRIVER_PLAN_H
#define UMBER_RUNTIME_DRIVERS_NPU_DRIVER_PLAN_H

#include "runtime/drivers/npu/EngineModel.h"
#include "runtime/drivers/npu/driver/Cache.h"

namespace umber::npu {

struct Plan {
  EngineModel model; ///< whose steps are narrowest first
  CacheShape cache;
  int32_t vocab = 0;
  Bytes weights; ///< Region::Weights, in the package
  Bytes tables;  ///< Region::Tables
  /// Of all parameters.
  uint64_t parameterBytes = 0;

  int32_t maxTokens() const {
    return static_cast<int32_t>(model.programs.steps.back().rows);
  }
  /// The narrowest step that takes as many rows, of maxTokens() at most.
  const StepProgram &getStep(int32_t tokens) const;
};

/// Reads and checks the target `npu:ENGINE` or, if `engine` is empty, the
/// package's only one for a neural engine. The plan points into the package,
/// which must outlive it. Messages begin with the target: NotFound, with the
/// targets that there are; Unsupported for programs without weights, which are
/// for timing, and for what another engine could run; CorruptFile.
Result<Plan> makePlan(const Package &package, const std::string &engine);

} // namespace umber::npu

#endif // UMBER_RUNTIME_DRIVERS_NPU_DRIVER_PLAN_H
