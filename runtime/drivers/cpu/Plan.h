// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a package's CPU target asks to be run, checked and resolved as far as it
// is the same for every session.

#ifndef UMBER_RUNTIME_DRIVERS_CPU_PLAN_H
#define UMBER_RUNTIME_DRIVERS_CPU_PLAN_H

#include "runtime/drivers/ProgramPlan.h"
#include "runtime/drivers/cpu/CodeLibrary.h"
#include "runtime/package/MappedFile.h"
#include "runtime/package/Status.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace umber::cpu {

/// Where a buffer of a kernel is found in a session. See umb.fbs.
struct PlannedBinding {
  enum class Place {
    Fixed,
    Arena,
    Keys,
    Values,
    TokenIds,
    Logits,
    Adapters
  } place;
  const void *address = nullptr; // of a Fixed one: a parameter
  uint64_t offset = 0;           // in the arena
  uint32_t layer = 0;            // of Keys and Values
  uint32_t site = 0, slot = 0;   // of Adapters: which site, and of its kernel
};

struct PlannedDispatch : DispatchCosts {
  umber_kernel_fn kernel;
  std::vector<PlannedBinding> bindings;
};

struct PlannedProgram {
  std::string name;
  int32_t maxTokens;
  uint64_t arenaBytes;
  uint64_t scratchBytes; // per worker
  std::vector<PlannedDispatch> dispatches;
};

/// One layer's keys are [kvHeads][capacity] rows, and behind them as many
/// scales; its values the same. See umb.fbs.
struct CacheShape {
  uint32_t layers;
  uint32_t kvHeads;
  uint64_t rowBytes;   // of one position of one head
  uint64_t scaleBytes; // of that row's scale; 0: rows have none
};

struct Plan {
  std::string isa;
  std::unique_ptr<CodeLibrary> code;
  std::vector<PlannedProgram> programs; // narrowest first
  CacheShape cache;
  int32_t vocab;
  const fbs::Target *target; // of the package
  uint32_t adapterSlots;     // the most sites of a kernel
  /// Sites, those of a kernel together, in the order in which a step of one
  /// token reads them.
  std::vector<std::vector<uint32_t>> adapterSites;
  uint64_t weightBytes;
  Bytes weights; // from the first parameter to the last, in the package

  int32_t maxTokens() const { return programs.back().maxTokens; }
};

/// Picks the code for this processor (or `isa`, unless empty), loads it and
/// checks every index and offset. The plan points into the package, which must
/// outlive it.
Result<Plan> makePlan(const Package &package, const std::string &isa);

} // namespace umber::cpu

#endif // UMBER_RUNTIME_DRIVERS_CPU_PLAN_H
