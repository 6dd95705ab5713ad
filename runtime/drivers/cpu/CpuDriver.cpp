// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/CpuDriver.h"

#include "runtime/drivers/cpu/InstructionSets.h"
#include "runtime/drivers/cpu/Plan.h"
#include "runtime/drivers/cpu/State.h"
#include "runtime/drivers/cpu/Team.h"

#include <algorithm>

using namespace umber;
using namespace umber::cpu;

namespace {

int defaultThreads() { return std::min(availableCores(), Team::kMaxWorkers); }

class CpuModel : public DeviceModel {
public:
  CpuModel(std::shared_ptr<const Package> package, Plan plan,
           std::unique_ptr<Team> team)
      : package(std::move(package)), plan(std::move(plan)),
        team(std::move(team)) {}

  int32_t maxTokens() const override { return plan.maxTokens(); }
  int32_t threads() const override { return team->size(); }
  const std::string &isa() const override { return plan.isa; }
  uint64_t weightBytes() const override { return plan.weightBytes; }
  const char *cacheLayout() const override { return "heads"; }

  Result<std::unique_ptr<DeviceState>>
  createState(int32_t capacity) const override {
    return State::create(plan, *team, capacity);
  }

private:
  std::shared_ptr<const Package> package; // the plan points into it
  Plan plan;
  std::unique_ptr<Team> team;
};

} // namespace

Result<DeviceDescription> CpuDriver::describe() const {
  DeviceDescription device{name(), processorName(), defaultThreads()};
  std::string isas;
  for (const std::string &isa : supportedInstructionSets()) {
    isas += (isas.empty() ? "" : ", ") + isa;
  }
  device.description += ", " + std::to_string(device.defaultThreads) +
                        " cores, " + (isas.empty() ? "no known set" : isas);
  return device;
}

Result<std::unique_ptr<DeviceModel>>
CpuDriver::load(std::shared_ptr<const Package> package,
                const LoadOptions &options) const {
  Result<Plan> plan = makePlan(*package, options.isa);
  if (!plan.ok()) {
    return plan.status();
  }
  Result<std::unique_ptr<Team>> team =
      Team::create(options.threads == 0 ? defaultThreads() : options.threads);
  if (!team.ok()) {
    return team.status();
  }
  return std::unique_ptr<DeviceModel>(std::make_unique<CpuModel>(
      std::move(package), std::move(*plan), std::move(*team)));
}
