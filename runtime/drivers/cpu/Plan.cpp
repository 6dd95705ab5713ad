// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/Plan.h"

#include "runtime/drivers/cpu/InstructionSets.h"
#include "runtime/package/Package.h"

#include <algorithm>

using namespace umber;
using namespace umber::cpu;

namespace {

Status corrupt(const std::string &what) {
  return Status(StatusCode::CorruptFile, "target cpu: " + what);
}

/// CorruptFile unless `index` is below `count`; `what` names the thing.
Status checkIndex(const std::string &what, uint64_t index, uint64_t count) {
  if (index < count) {
    return {};
  }
  return corrupt(what + " " + std::to_string(index) +
                 " does not exist, there are " + std::to_string(count));
}

Status checkAligned(const std::string &what, uint64_t offset) {
  if (offset % UMBER_ABI_ALIGNMENT == 0) {
    return {};
  }
  return corrupt(what + " at " + std::to_string(offset) +
                 " is not at a multiple of " +
                 std::to_string(UMBER_ABI_ALIGNMENT));
}

/// Makes a plan, part by part.
class Planner {
public:
  Planner(const Package &package, const fbs::Target &target)
      : package(package), target(target) {}

  Status planCode(const std::string &isa);
  Status planParameters();
  Status planCache();
  Status planPrograms();

  Plan plan;

private:
  Result<const fbs::CodeVariant *> pickVariant(const std::string &isa) const;
  Result<PlannedProgram> planProgram(const fbs::Program &program) const;
  Result<PlannedDispatch> planDispatch(const fbs::Program &program,
                                       const fbs::Dispatch &dispatch) const;
  Result<PlannedBinding> planBinding(const fbs::Program &program,
                                     const std::string &where,
                                     const fbs::Binding &binding) const;

  const Package &package;
  const fbs::Target &target;
  std::vector<const char *> parameters;
};

Result<const fbs::CodeVariant *>
Planner::pickVariant(const std::string &isa) const {
  std::string names;
  Status reason(StatusCode::NotFound, "target cpu: has no code");
  for (const fbs::CodeVariant *variant : *target.variants()) {
    std::string name = variant->isa()->str();
    names += (names.empty() ? "" : ", ") + name;
    if (!isa.empty() && isa != name) {
      continue;
    }
    reason = checkInstructionSet(name);
    if (reason.ok() || !isa.empty()) {
      break;
    }
  }
}

} // namespace
