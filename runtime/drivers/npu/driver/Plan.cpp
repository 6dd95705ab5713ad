// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/driver/Plan.h"

#include "runtime/drivers/npu/isa/Verifier.h"
#include "runtime/package/CacheLayout.h"
#include "runtime/package/Package.h"

#include <algorithm>

using namespace umber;
using namespace umber::npu;

namespace {

Result<const fbs::Target *> findTarget(const Package &package,
                                       const std::string &engine) {
  std::string names;
  std::vector<const fbs::Target *> found;
  if (package.meta().targets()) {
    for (const fbs::Target *target : *package.meta().targets()) {
      std::string name = target->name()->str();
      if (engine.empty() ? name.rfind(kTargetPrefix, 0) == 0
                         : name == kTargetPrefix + engine) {
        found.push_back(target);
      }
      names += (names.empty() ? "" : ", ") + name;
    }
  }
  if (found.size() == 1) {
    return found.front();
  }
  std::string there = "; there is: " + (names.empty() ? "none" : names);
  std::string wanted = kTargetPrefix + engine;
  return Status(StatusCode::NotFound,
                !found.empty()   ? "expected one target " + wanted +
                                       (engine.empty() ? "ENGINE" : "") +
                                       ", found several" + there
                : engine.empty() ? "has no target for a neural engine" + there
                                 : "has no target " + wanted + there);
}

/// Of a model that readEngineModel has checked.
Result<Plan> planModel(const Package &package, EngineModel model) {
  if (!model.hasData()) {
    return Status(StatusCode::Unsupported,
                  "expected weights, found a model of shapes, which can only "
                  "be timed (umber-sim --timing-only)");
  }
  const fbs::CacheInfo &cache = *package.meta().cache();
  if (cache.dtype() == fbs::DType_I4) {
    return Status(StatusCode::Unsupported,
                  "cache: expected elements of 8, 16 or 32 bits, found 4");
  }
  Plan plan;
  plan.cache = {cache.layers(), cache.kv_heads(), cacheRowBytes(cache),
                cacheScaleBytes(cache)};
  plan.vocab = static_cast<int32_t>(package.meta().model()->vocab());
  plan.weights = package.segment(*model.weights);
  plan.tables = package.segment(*model.tables);
  if (model.target->parameters()) {
    for (const fbs::Parameter *parameter : *model.target->parameters()) {
      plan.parameterBytes += parameter->size();
    }
  }
  std::vector<StepProgram> &steps = model.programs.steps;
  for (const StepProgram &step : steps) {
    if (Status status = verify(step.program, model.config); !status.ok()) {
      // To programs a mistake is an argument's, to us the file's.
      return Status(status.code() == StatusCode::InvalidArgument
                        ? StatusCode::CorruptFile
                        : status.code(),
                    "program " + step.name + ": " + status.message());
    }
  }
  std::sort(steps.begin(), steps.end(),
            [](const StepProgram &a, const StepProgram &b) {
              return a.rows < b.rows;
            });
  plan.model = std::move(model);
  return plan;
}

} // namespace

const StepProgram &Plan::getStep(int32_t tokens) const {
  for (const StepProgram &step : model.programs.steps) {
    if (step.rows >= tokens) {
      return step;
    }
  }
  return model.programs.steps.back();
}

Result<Plan> npu::makePlan(const Package &package, const std::string &engine) {
  Result<const fbs::Target *> target = findTarget(package, engine);
  if (!target.ok()) {
    return target.status();
  }
  auto model = readEngineModel(package, **target);
  Result<Plan> plan = model.ok() ? planModel(package, std::move(*model))
                                 : Result<Plan>(model.status());
  if (!plan.ok()) {
    return Status(plan.status().code(), "target " + (*target)->name()->str() +
                                            ": " + plan.status().message());
  }
  return plan;
}
