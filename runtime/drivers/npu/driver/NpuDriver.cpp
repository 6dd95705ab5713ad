// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/driver/NpuDriver.h"

#include "runtime/drivers/npu/driver/State.h"
#include "runtime/package/Package.h"

#include <algorithm>
#include <thread>

using namespace umber;
using namespace umber::npu;

namespace {

/// Instructions are small: more threads wait for each other.
constexpr int32_t kDefaultThreads = 8;

int32_t defaultThreads() {
  return std::clamp<int32_t>(
      static_cast<int32_t>(std::thread::hardware_concurrency()), 1,
      kDefaultThreads);
}

class NpuModel : public DeviceModel {
public:
  static Result<std::unique_ptr<DeviceModel>>
  create(std::shared_ptr<const Package> package, Plan plan, int32_t threads) {
    std::unique_ptr<NpuModel> model(
        new NpuModel(std::move(package), std::move(plan), threads));
    // It refers to the plan, which no longer moves.
    auto device = Device::create(model->plan, threads);
    if (!device.ok()) {
      return device.status();
    }
    model->device = std::move(*device);
    return std::unique_ptr<DeviceModel>(std::move(model));
  }

  int32_t maxTokens() const override { return plan.maxTokens(); }
  int32_t threads() const override { return workers; }
  const std::string &isa() const override { return plan.model.config.name; }
  bool isSimulated() const override { return true; }
  uint64_t weightBytes() const override { return plan.parameterBytes; }
  const char *cacheLayout() const override { return "heads"; }

  const fbs::Target *adapterTarget() const override {
    return plan.model.target;
  }
  Result<std::shared_ptr<const DeviceAdapter>>
  loadAdapter(const FittedAdapter &adapter) const override {
    return HalfAdapter::create(plan, adapter);
  }

  Result<std::unique_ptr<DeviceState>>
  createState(int32_t capacity) const override {
    return State::create(plan, *device, images, capacity);
  }

private:
  NpuModel(std::shared_ptr<const Package> package, Plan plan, int32_t threads)
      : package(std::move(package)), plan(std::move(plan)), workers(threads),
        images(this->plan) {}

  std::shared_ptr<const Package> package; // the plan points into it
  Plan plan;
  int32_t workers;
  std::unique_ptr<Device> device;
  mutable AdapterImages images;
};

} // namespace

Result<DeviceDescription> NpuDriver::describe() const {
  static const std::string names = [] {
    std::string list;
    for (const NamedConfig &named : kNamedConfigs) {
      auto config = loadConfig(std::string(named.name));
      // Others run no programs.
      if (config.ok() && std::holds_alternative<CoreArray>(config->array)) {
        list += (list.empty() ? "" : ", ") + config->name;
      }
    }
    return list;
  }();
  return DeviceDescription{name(), "Simulated neural engines: " + names,
                           defaultThreads()};
}

Result<std::unique_ptr<DeviceModel>>
NpuDriver::load(std::shared_ptr<const Package> package,
                const LoadOptions &options) const {
  if (!options.isa.empty()) {
    return Status(StatusCode::InvalidArgument,
                  "the device npu has no instruction sets to choose from");
  }
  if (options.adapterBits == 8) {
    return Status(StatusCode::InvalidArgument,
                  "the device npu has adapters of 16 bits, not of 8");
  }
  Result<Plan> plan = makePlan(*package, options.variant);
  if (!plan.ok()) {
    return plan.status();
  }
  return NpuModel::create(std::move(package), std::move(*plan),
                          options.threads == 0 ? defaultThreads()
                                               : options.threads);
}
