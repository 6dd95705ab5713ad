// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a package's target "gpu" asks to be run, checked as far as it is the
// same for every session.

#ifndef UMBER_RUNTIME_DRIVERS_GPU_PLAN_H
#define UMBER_RUNTIME_DRIVERS_GPU_PLAN_H

#include "runtime/drivers/ProgramPlan.h"
#include "runtime/drivers/gpu/CacheForm.h"
#include "runtime/package/MappedFile.h"
#include "runtime/package/Status.h"
#include "runtime/package/umb_generated.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace umber::gpu {

/// What the dispatches of a kernel have in common.
struct PlannedKernel {
  std::string name;
  uint32_t bindings = 0;
  uint32_t threads = 0; ///< of a workgroup; 0: no dispatch runs it
};

struct PlannedDispatch : DispatchCosts {
  uint32_t kernel;
  fbs::Grid grid;
  std::vector<fbs::Binding> bindings;
  bool withPrevious;
};

struct PlannedProgram {
  std::string name;
  int32_t maxTokens;
  uint64_t arenaBytes;
  uint32_t candidates; ///< of a row that it selects
  std::vector<PlannedDispatch> dispatches;
};

struct Plan {
  const fbs::Target *target; // of the package
  std::string isa;
  Bytes code; // for `isa`, in the package
  std::vector<PlannedKernel> kernels;
  std::vector<PlannedProgram> programs; // narrowest first
  CacheForm cache;
  int32_t vocab;
  uint32_t productSlots; // the most sites of a kernel
  uint32_t candidates;   // of every program

  int32_t maxTokens() const { return programs.back().maxTokens; }
};

/// Picks the first code that `takes` takes, or that for `isa`, unless it is
/// empty. `device` is for messages. The plan points into the package, which
/// outlives it. Errors: NotFound if the package has no target gpu or no such
/// code, CorruptFile.
Result<Plan> makePlan(const Package &package, const std::string &isa,
                      const std::string &device,
                      const std::function<bool(const std::string &)> &takes);

} // namespace umber::gpu

#endif // UMBER_RUNTIME_DRIVERS_GPU_PLAN_H
