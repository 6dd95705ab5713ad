// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/gpu/Plan.h"

#include "runtime/package/Package.h"

#include <algorithm>

using namespace umber;
using namespace umber::gpu;

namespace {

Status corrupt(const std::string &what) {
  return Status(StatusCode::CorruptFile, "target gpu: " + what);
}

/// The package's metadata has been verified: every index and offset in it
/// points to something.
class Planner {
public:
  Planner(const Package &package, const fbs::Target &target, Plan &plan)
      : package(package), target(target), plan(plan) {}

  Status pickCode(const std::string &isa, const std::string &device,
                  const std::function<bool(const std::string &)> &takes);
  Status planKernels();
  Status planPrograms();

private:
  Status planProgram(const fbs::Program &program);
  Status checkCandidates(const PlannedProgram &program);
  Result<PlannedDispatch> planDispatch(const fbs::Dispatch &dispatch,
                                       const std::string &where);
  Status useKernel(const PlannedDispatch &dispatch, const std::string &where);

  const Package &package;
  const fbs::Target &target;
  Plan &plan;
};

Status
Planner::pickCode(const std::string &isa, const std::string &device,
                  const std::function<bool(const std::string &)> &takes) {
  std::string names;
  if (target.variants()) {
    for (const fbs::CodeVariant *variant : *target.variants()) {
      std::string name = variant->isa()->str();
      names += (names.empty() ? "" : ", ") + name;
      if (takes(name) && (isa.empty() || isa == name)) {
        plan.isa = name;
        plan.code = package.segment(variant->segment());
        return {};
      }
    }
  }
  return Status(StatusCode::NotFound,
                "target gpu: has no code " +
                    (isa.empty() ? "" : "of instruction set " + isa + " ") +
                    "for " + device +
                    "; there is code for: " + (names.empty() ? "none" : names));
}

Status Planner::planKernels() {
  if (!target.kernels()) {
    return corrupt("has no kernels");
  }
  for (const flatbuffers::String *name : *target.kernels()) {
    if (name->size() == 0) {
      return corrupt("kernel " + std::to_string(plan.kernels.size()) +
                     " has no name");
    }
    plan.kernels.push_back({name->str()});
  }
  return {};
}

Status Planner::useKernel(const PlannedDispatch &dispatch,
                          const std::string &where) {
  PlannedKernel &kernel = plan.kernels[dispatch.kernel];
  auto bindings = uint32_t(dispatch.bindings.size());
  uint32_t threads = dispatch.grid.threads();
  if (bindings == 0) {
    return corrupt(where + " has no bindings");
  }
  if (kernel.threads == 0) {
    kernel.bindings = bindings;
    kernel.threads = threads;
  }
  if (kernel.bindings != bindings || kernel.threads != threads) {
    return corrupt(where + ": expected " + std::to_string(kernel.bindings) +
                   " bindings and " + std::to_string(kernel.threads) +
                   " threads, as kernel " + kernel.name +
                   " has elsewhere, found " + std::to_string(bindings) +
                   " and " + std::to_string(threads));
  }
  return {};
}

Result<PlannedDispatch> Planner::planDispatch(const fbs::Dispatch &dispatch,
                                              const std::string &where) {
  if (!dispatch.grid()) {
    return corrupt(where + ": expected a grid, found none");
  }
  PlannedDispatch planned = {readCosts(dispatch),
                             dispatch.kernel(),
                             *dispatch.grid(),
                             {},
                             dispatch.with_previous()};
  if (dispatch.bindings()) {
    for (const fbs::Binding *binding : *dispatch.bindings()) {
      planned.bindings.push_back(*binding);
      if (binding->kind() == fbs::BindingKind_Products) {
        plan.productSlots =
            std::max(plan.productSlots, uint32_t(binding->offset()) + 1);
      }
    }
  }
  if (Status status = useKernel(planned, where); !status.ok()) {
    return status;
  }
  return planned;
}

Status Planner::planProgram(const fbs::Program &program) {
  PlannedProgram planned;
  planned.name = program.name()->str();
  planned.maxTokens = static_cast<int32_t>(program.max_tokens());
  planned.arenaBytes = program.arena_bytes();
  std::string where = "program " + planned.name;
  if (program.dispatches()) {
    for (const fbs::Dispatch *dispatch : *program.dispatches()) {
      std::string part =
          where + ", dispatch " + std::to_string(planned.dispatches.size());
      Result<PlannedDispatch> made = planDispatch(*dispatch, part);
      if (!made.ok()) {
        return made.status();
      }
      planned.dispatches.push_back(std::move(*made));
    }
  }
  if (Status status = checkMakesLogits(target, program); !status.ok()) {
    return status;
  }
  planned.candidates = program.candidates();
  if (Status status = checkCandidates(planned); !status.ok()) {
    return status;
  }
  plan.programs.push_back(std::move(planned));
  return {};
}

Status Planner::checkCandidates(const PlannedProgram &program) {
  std::string where = "program " + program.name;
  uint32_t expected =
      plan.programs.empty() ? program.candidates : plan.candidates;
  if (program.candidates != expected ||
      program.candidates > uint32_t(plan.vocab)) {
    return corrupt(where + ": expected as many candidates as other programs " +
                   "have, at most " + std::to_string(plan.vocab) + ", found " +
                   std::to_string(program.candidates));
  }
  plan.candidates = program.candidates;
  bool selects = false;
  for (const PlannedDispatch &dispatch : program.dispatches) {
    for (const fbs::Binding &binding : dispatch.bindings) {
      selects |= binding.kind() == fbs::BindingKind_Candidates;
    }
  }
  if (selects != (program.candidates > 0)) {
    return corrupt(where + (selects ? ": expected no binding for candidates, "
                                      "of which it has none, found one"
                                    : ": expected a binding for candidates, "
                                      "found none"));
  }
  return {};
}

Status Planner::planPrograms() {
  if (!target.programs() || target.programs()->size() == 0) {
    return corrupt("has no programs");
  }
  for (const fbs::Program *program : *target.programs()) {
    if (Status status = planProgram(*program); !status.ok()) {
      return status;
    }
  }
  std::sort(plan.programs.begin(), plan.programs.end(),
            [](const PlannedProgram &a, const PlannedProgram &b) {
              return a.maxTokens < b.maxTokens;
            });
  return {};
}

} // namespace

Result<Plan>
umber::gpu::makePlan(const Package &package, const std::string &isa,
                     const std::string &device,
                     const std::function<bool(const std::string &)> &takes) {
  Result<const fbs::Target *> target = findTarget(package, "gpu");
  if (!target.ok()) {
    return target.status();
  }
  Plan plan;
  plan.target = *target;
  plan.cache = CacheForm(*package.meta().cache());
  plan.vocab = static_cast<int32_t>(package.meta().model()->vocab());
  plan.productSlots = 0;
  plan.candidates = 0;
  Planner planner(package, **target, plan);
  if (Status status = planner.pickCode(isa, device, takes); !status.ok()) {
    return status;
  }
  if (Status status = planner.planKernels(); !status.ok()) {
    return status;
  }
  if (Status status = planner.planPrograms(); !status.ok()) {
    return status;
  }
  return plan;
}
