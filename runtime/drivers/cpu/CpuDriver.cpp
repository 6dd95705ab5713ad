// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/cpu/CpuDriver.h"

#include "runtime/adapter/FittedAdapter.h"
#include "runtime/drivers/cpu/InstructionSets.h"
#include "runtime/drivers/cpu/Plan.h"
#include "runtime/drivers/cpu/State.h"
#include "runtime/drivers/cpu/Team.h"
#include "runtime/package/Package.h"
#include "runtime/package/umb_generated.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

using namespace umber;
using namespace umber::cpu;

namespace {

int defaultThreads() { return std::min(availableCores(), Team::kMaxWorkers); }

class CpuModel : public DeviceModel {
public:
  CpuModel(std::shared_ptr<const Package> package, Plan plan,
           std::unique_ptr<Team> team, WeightsMemory memory, int adapterBits)
      : package(std::move(package)), plan(std::move(plan)),
        team(std::move(team)), adapterBits(adapterBits),
        pages(memory == WeightsMemory::Mapped ||
                      (memory == WeightsMemory::Best &&
                       !isMemoryPlentiful(this->plan.weights.size))
                  ? Bytes()
                  : this->plan.weights) {
    if (memory == WeightsMemory::Copied) {
      this->team->run(
          [](void *model, int) {
            auto &self = *static_cast<CpuModel *>(model);
            while (self.pages.moveNext()) {
            }
            self.team->meet();
          },
          this);
    }
  }

  int32_t maxTokens() const override { return plan.maxTokens(); }
  int32_t threads() const override { return team->size(); }
  const std::string &isa() const override { return plan.isa; }
  uint64_t weightBytes() const override { return plan.weightBytes; }
  const char *cacheLayout() const override { return "heads"; }

  const fbs::Target *adapterTarget() const override { return plan.target; }
  Result<std::shared_ptr<const DeviceAdapter>>
  loadAdapter(const FittedAdapter &adapter) const override {
    int asStored = adapter.bitsAsStored();
    return PackedAdapter::create(plan, adapter,
                                 asStored != 0 ? asStored : adapterBits);
  }

  Result<std::unique_ptr<DeviceState>>
  createState(int32_t capacity) const override {
    return State::create(plan, *team, pages, capacity);
  }

  Status runBatch(const BatchRow *rows, int32_t count,
                  const float **logits) const override {
    return State::runBatch(rows, count, logits);
  }

private:
  std::shared_ptr<const Package> package; // the plan points into it
  Plan plan;
  std::unique_ptr<Team> team;
  const int adapterBits;
  mutable LargePages pages; // of the plan's weights
};

/// Beside weights that were compressed 8 bits are precise enough, and cost half
/// as much time.
int chooseAdapterBits(const Package &package) {
  return package.meta().model()->body_bits() < 16.0f ? 8 : 16;
}

/// UMBER_CPU_TURNS, with which tests ask that workers run one at a time.
Result<std::optional<Turns::Order>> getOrder() {
  const char *variable = std::getenv("UMBER_CPU_TURNS");
  std::string_view name = variable ? variable : "";
  if (name.empty()) {
    return std::optional<Turns::Order>();
  }
  if (name == "ascending") {
    return std::optional(Turns::Order::Ascending);
  }
  if (name == "descending") {
    return std::optional(Turns::Order::Descending);
  }
  return Status(StatusCode::InvalidArgument,
                "UMBER_CPU_TURNS must be ascending or descending, not " +
                    std::string(name));
}

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
  Result<std::optional<Turns::Order>> order = getOrder();
  if (!order.ok()) {
    return order.status();
  }
  Result<std::unique_ptr<Team>> team = Team::create(
      options.threads == 0 ? defaultThreads() : options.threads, *order);
  if (!team.ok()) {
    return team.status();
  }
  int adapterBits = options.adapterBits != 0 ? options.adapterBits
                                             : chooseAdapterBits(*package);
  return std::unique_ptr<DeviceModel>(std::make_unique<CpuModel>(
      std::move(package), std::move(*plan), std::move(*team), options.weights,
      adapterBits));
}
