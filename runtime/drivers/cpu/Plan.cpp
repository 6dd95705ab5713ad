// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/Plan.h"

#include "runtime/drivers/cpu/InstructionSets.h"
#include "runtime/package/CacheLayout.h"
#include "runtime/package/Package.h"

#include <algorithm>

using namespace umber;
using namespace umber::cpu;

namespace {

Status corrupt(const std::string &what) {
  return Status(StatusCode::CorruptFile, "target cpu: " + what);
}

/// Makes a plan, part by part. The package's metadata has been verified: every
/// index and offset in it points to something.
class Planner {
public:
  Planner(const Package &package, const fbs::Target &target)
      : package(package), target(target) {}

  Status planCode(const std::string &isa);
  Status planParameters();
  void planCache();
  Status planPrograms();
  void planAdapters();

  Plan plan;

private:
  Result<const fbs::CodeVariant *> pickVariant(const std::string &isa) const;
  Status checkProgram(const fbs::Program &program) const;
  PlannedProgram planProgram(const fbs::Program &program) const;
  PlannedBinding planBinding(const fbs::Binding &binding) const;

  const Package &package;
  const fbs::Target &target;
};

Result<const fbs::CodeVariant *>
Planner::pickVariant(const std::string &isa) const {
  std::string names;
  Status reason;
  if (target.variants()) {
    for (const fbs::CodeVariant *variant : *target.variants()) {
      std::string name = variant->isa()->str();
      names += (names.empty() ? "" : ", ") + name;
      if (!isa.empty() && isa != name) {
        continue;
      }
      Status status = checkInstructionSet(name);
      if (status.ok()) {
        return variant;
      }
      // The one asked for, or the least demanding: of this architecture's, the
      // last.
      if (reason.ok() || isOfThisArchitecture(name)) {
        reason = status;
      }
    }
  }
  std::string message = "target cpu: has no code for ";
  message += isa.empty() ? "this processor" : "instruction set " + isa;
  if (!reason.ok()) {
    message = "target cpu: " + reason.message();
  }
  return Status(reason.ok() ? StatusCode::NotFound : reason.code(),
                message +
                    "; there is code for: " + (names.empty() ? "none" : names));
}

Status Planner::planCode(const std::string &isa) {
  Result<const fbs::CodeVariant *> variant = pickVariant(isa);
  if (!variant.ok()) {
    return variant.status();
  }
  plan.isa = (*variant)->isa()->str();
  std::vector<std::string> kernels;
  if (target.kernels()) {
    for (const flatbuffers::String *name : *target.kernels()) {
      kernels.push_back(name->str());
    }
  }
  Bytes bytes = package.segment((*variant)->segment());
  Result<std::unique_ptr<CodeLibrary>> code =
      CodeLibrary::load(bytes.data, bytes.size, plan.isa, kernels);
  if (!code.ok()) {
    return Status(code.status().code(),
                  "target cpu: " + code.status().message());
  }
  plan.code = std::move(*code);
  return {};
}

Status Planner::planParameters() {
  plan.vocab = static_cast<int32_t>(package.meta().model()->vocab());
  plan.weightBytes = 0;
  const uint8_t *first = nullptr, *end = nullptr;
  if (target.parameters()) {
    for (const fbs::Parameter *parameter : *target.parameters()) {
      Bytes bytes = package.parameter(*parameter);
      plan.weightBytes += bytes.size;
      first = first ? std::min(first, bytes.data) : bytes.data;
      end = std::max(end, bytes.data + bytes.size);
    }
  }
  plan.weights = {first, size_t(end - first)};
  plan.target = &target;
  return {};
}

void Planner::planCache() {
  const fbs::CacheInfo &info = *package.meta().cache();
  plan.cache = {info.layers(), info.kv_heads(), cacheRowBytes(info),
                cacheScaleBytes(info)};
}

Status Planner::checkProgram(const fbs::Program &program) const {
  if (program.dispatches()) {
    for (const fbs::Dispatch *dispatch : *program.dispatches()) {
      if (dispatch->bindings()) {
        for (const fbs::Binding *binding : *dispatch->bindings()) {
          if (binding->kind() > fbs::BindingKind_Adapters) {
            return corrupt("program " + program.name()->str() +
                           " has a binding of kind " +
                           fbs::EnumNameBindingKind(binding->kind()) +
                           ", which is a GPU's");
          }
        }
      }
    }
  }
  return checkMakesLogits(target, program);
}

PlannedBinding Planner::planBinding(const fbs::Binding &binding) const {
  using Place = PlannedBinding::Place;
  PlannedBinding planned = {Place::Fixed};
  switch (binding.kind()) {
  case fbs::BindingKind_Parameter:
    planned.address =
        package.parameter(*target.parameters()->Get(binding.index())).data;
    break;
  case fbs::BindingKind_Arena:
    planned.place = Place::Arena;
    planned.offset = binding.offset();
    break;
  case fbs::BindingKind_Keys:
    planned.place = Place::Keys;
    planned.layer = binding.index();
    break;
  case fbs::BindingKind_Values:
    planned.place = Place::Values;
    planned.layer = binding.index();
    break;
  case fbs::BindingKind_Adapters:
    planned.place = Place::Adapters;
    planned.site = binding.index();
    planned.slot = uint32_t(binding.offset());
    break;
  case fbs::BindingKind_TokenIds:
    planned.place = Place::TokenIds;
    break;
  case fbs::BindingKind_Logits:
    planned.place = Place::Logits;
    break;
  case fbs::BindingKind_Step:
  case fbs::BindingKind_Products:
  case fbs::BindingKind_Candidates:
    break; // checkProgram
  }
  return planned;
}

PlannedProgram Planner::planProgram(const fbs::Program &program) const {
  PlannedProgram planned;
  planned.name = program.name()->str();
  planned.maxTokens = static_cast<int32_t>(program.max_tokens());
  planned.arenaBytes = program.arena_bytes();
  planned.scratchBytes = program.scratch_bytes();
  for (const fbs::Dispatch *dispatch : *program.dispatches()) {
    PlannedDispatch step = {
        readCosts(*dispatch), plan.code->kernel(dispatch->kernel()), {}};
    if (dispatch->bindings()) {
      for (const fbs::Binding *binding : *dispatch->bindings()) {
        step.bindings.push_back(planBinding(*binding));
      }
    }
    planned.dispatches.push_back(std::move(step));
  }
  return planned;
}

void Planner::planAdapters() {
  plan.adapterSlots = 0;
  std::vector<bool> isPlaced(target.sites() ? target.sites()->size() : 0);
  for (const PlannedProgram &program : plan.programs) {
    for (const PlannedDispatch &dispatch : program.dispatches) {
      std::vector<uint32_t> sites;
      for (const PlannedBinding &binding : dispatch.bindings) {
        if (binding.place == PlannedBinding::Place::Adapters) {
          plan.adapterSlots = std::max(plan.adapterSlots, binding.slot + 1);
          sites.push_back(binding.site);
        }
      }
      if (!sites.empty() && &program == &plan.programs.front()) {
        for (uint32_t site : sites) {
          isPlaced[site] = true;
        }
        plan.adapterSites.push_back(std::move(sites));
      }
    }
  }
  for (uint32_t site = 0; site < isPlaced.size(); ++site) {
    if (!isPlaced[site]) {
      plan.adapterSites.push_back({site});
    }
  }
}

Status Planner::planPrograms() {
  if (!target.programs() || target.programs()->size() == 0) {
    return corrupt("has no programs");
  }
  for (const fbs::Program *program : *target.programs()) {
    if (Status status = checkProgram(*program); !status.ok()) {
      return status;
    }
    plan.programs.push_back(planProgram(*program));
  }
  std::sort(plan.programs.begin(), plan.programs.end(),
            [](const PlannedProgram &a, const PlannedProgram &b) {
              return a.maxTokens < b.maxTokens;
            });
  planAdapters();
  return {};
}

} // namespace

Result<Plan> umber::cpu::makePlan(const Package &package,
                                  const std::string &isa) {
  Result<const fbs::Target *> target = findTarget(package, "cpu");
  if (!target.ok()) {
    return target.status();
  }
  Planner planner(package, **target);
  if (Status status = planner.planCode(isa); !status.ok()) {
    return status;
  }
  if (Status status = planner.planParameters(); !status.ok()) {
    return status;
  }
  planner.planCache();
  if (Status status = planner.planPrograms(); !status.ok()) {
    return status;
  }
  return std::move(planner.plan);
}
