// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/driver/Plan.h"

#include "runtime/drivers/npu/isa/Verifier.h"
#include "runtime/package/CacheLayout.h"
#include "runtime/package/Package.h"

#include <algorithm>
#include <map>

using namespace umber;
using namespace umber::npu;

namespace {

constexpr char kPrefix[] = "npu:";

std::string expected(const std::string &what, const std::string &found) {
  return "expected " + what + ", found " + found;
}

Status corrupt(const std::string &message) {
  return Status(StatusCode::CorruptFile, message);
}

Result<const fbs::Target *> findTarget(const Package &package,
                                       const std::string &engine) {
  std::string names;
  std::vector<const fbs::Target *> found;
  if (package.meta().targets()) {
    for (const fbs::Target *target : *package.meta().targets()) {
      std::string name = target->name()->str();
      if (engine.empty() ? name.rfind(kPrefix, 0) == 0
                         : name == kPrefix + engine) {
        found.push_back(target);
      }
      names += (names.empty() ? "" : ", ") + name;
    }
  }
  if (found.size() == 1) {
    return found.front();
  }
  std::string there = "; there is: " + (names.empty() ? "none" : names);
  if (found.empty()) {
    return Status(StatusCode::NotFound,
                  engine.empty() ? "has no target for a neural engine" + there
                                 : "has no target npu:" + engine + there);
  }
  return Status(StatusCode::NotFound,
                expected(std::string("one target ") + kPrefix +
                             (engine.empty() ? "ENGINE" : engine),
                         "several") +
                    there);
}

/// Makes a plan, part by part. The package's metadata has been verified.
class Planner {
public:
  Planner(const Package &package, const fbs::Target &target)
      : package(package), target(target) {
    plan.name = target.name()->str();
    plan.target = &target;
  }

  Status run();

  Plan plan;

private:
  Result<Bytes> findSegment(const char *suffix, fbs::SegmentKind kind) const;
  Result<Bytes> findImage(const char *suffix, fbs::SegmentKind kind,
                          uint64_t bytes) const;
  Status planConfig();
  Status planImages();
  Status planCache();
  Status planSites();
  Status checkStep(const StepProgram &step) const;
  Status planSteps();

  const Package &package;
  const fbs::Target &target;
};

Result<Bytes> Planner::findSegment(const char *suffix,
                                   fbs::SegmentKind kind) const {
  std::string name = plan.name + suffix;
  const auto &segments = *package.meta().segments();
  for (uint32_t i = 0; i < segments.size(); ++i) {
    if (segments.Get(i)->name()->str() != name) {
      continue;
    }
    if (segments.Get(i)->kind() != kind) {
      return corrupt(
          "segment " + name + ": " +
          expected(std::string("the kind ") + fbs::EnumNameSegmentKind(kind),
                   fbs::EnumNameSegmentKind(segments.Get(i)->kind())));
    }
    return package.segment(i);
  }
  return Status(StatusCode::NotFound, expected("a segment " + name, "none"));
}

/// A region's bytes, which the programs count on.
Result<Bytes> Planner::findImage(const char *suffix, fbs::SegmentKind kind,
                                 uint64_t bytes) const {
  Result<Bytes> found = findSegment(suffix, kind);
  if (!found.ok() && found.status().code() == StatusCode::NotFound) {
    return Status(StatusCode::Unsupported,
                  found.status().message() +
                      ": a model of shapes alone can be timed (umber-sim "
                      "--timing-only), not run");
  }
  if (found.ok() && found->size != bytes) {
    return corrupt("segment " + plan.name + suffix + ": " +
                   expected(std::to_string(bytes) + " bytes",
                            std::to_string(found->size)));
  }
  return found;
}

Status Planner::planConfig() {
  const std::string &text = plan.programs.description;
  auto config =
      parseConfig({reinterpret_cast<const uint8_t *>(text.data()), text.size()},
                  "description");
  if (!config.ok()) {
    return config.status();
  }
  plan.config = std::move(*config);
  if (kPrefix + plan.config.name != plan.name) {
    return corrupt(
        "description: " +
        expected("the engine " + plan.name.substr(sizeof kPrefix - 1),
                 plan.config.name));
  }
  return {};
}

Status Planner::planImages() {
  auto weights = findImage(".weights", fbs::SegmentKind_Weights,
                           plan.programs.weightBytes);
  if (!weights.ok()) {
    return weights.status();
  }
  auto tables =
      findImage(".tables", fbs::SegmentKind_Tables, plan.programs.tableBytes);
  if (!tables.ok()) {
    return tables.status();
  }
  plan.weights = *weights;
  plan.tables = *tables;
  if (target.parameters()) {
    for (const fbs::Parameter *parameter : *target.parameters()) {
      plan.parameterBytes += parameter->size();
    }
  }
  return {};
}

Status Planner::planCache() {
  const fbs::CacheInfo &info = *package.meta().cache();
  if (info.dtype() == fbs::DType_I4) {
    return Status(StatusCode::Unsupported,
                  "cache: " + expected("elements of 8, 16 or 32 bits", "4"));
  }
  plan.cache = {info.layers(), info.kv_heads(), cacheRowBytes(info),
                cacheScaleBytes(info)};
  plan.vocab = static_cast<int32_t>(package.meta().model()->vocab());
  uint64_t context = package.meta().model()->context_length();
  if (uint64_t(plan.programs.contextLength) != context) {
    return corrupt("context_length: " +
                   expected(std::to_string(context),
                            std::to_string(plan.programs.contextLength)));
  }
  return {};
}

/// Where each site's matrices go, in the order of the target's sites.
Status Planner::planSites() {
  std::map<std::string, const SiteLayout *> byName;
  const ProgramFile &programs = plan.programs;
  for (const SiteLayout &site : programs.sites) {
    if (!byName.emplace(site.name, &site).second) {
      return corrupt("sites: " + expected("each once", site.name + " twice"));
    }
  }
  uint64_t rank = uint64_t(programs.adapterRank);
  if (programs.adapterScales > programs.adapterBytes ||
      rank > (programs.adapterBytes - programs.adapterScales) / sizeof(float)) {
    return corrupt("adapter_scales: " +
                   expected("an end within " +
                                std::to_string(programs.adapterBytes) +
                                " bytes",
                            std::to_string(rank) + " numbers at " +
                                std::to_string(programs.adapterScales)));
  }
  if (rank == 0) {
    return {};
  }
  uint32_t count = target.sites() ? target.sites()->size() : 0;
  std::vector<SiteLayout> sites;
  for (uint32_t i = 0; i < count; ++i) {
    const fbs::AdapterSite &site = *target.sites()->Get(i);
    auto found = byName.find(site.name()->str());
    if (found == byName.end()) {
      return corrupt("sites: " + expected(site.name()->str(), "none"));
    }
    const SiteLayout &layout = *found->second;
    auto check = [&](const char *matrix, const MatrixLayout &is, uint64_t rows,
                     uint64_t columns) {
      if (uint64_t(is.rows) == rows && uint64_t(is.columns) == columns) {
        return Status();
      }
      auto shape = [](uint64_t rows, uint64_t columns) {
        return std::to_string(rows) + " x " + std::to_string(columns);
      };
      return corrupt(
          "site " + layout.name + ", " + matrix + ": " +
          expected(shape(rows, columns), shape(is.rows, is.columns)));
    };
    for (const Status &status :
         {check("a", layout.a, rank, site.inputs()),
          check("a_by_columns", layout.aByColumns, rank, site.inputs()),
          check("b", layout.b, site.outputs(), rank)}) {
      if (!status.ok()) {
        return status;
      }
    }
    sites.push_back(layout);
  }
  if (count != programs.sites.size()) {
    return corrupt("sites: " + expected(std::to_string(count),
                                        std::to_string(programs.sites.size())));
  }
  plan.programs.sites = std::move(sites);
  return {};
}

Status Planner::checkStep(const StepProgram &step) const {
  // Neither overflows: rows are below 2^24 and a vocabulary below 2^31.
  uint64_t tokens = uint64_t(step.rows) * sizeof(int32_t);
  uint64_t logits = uint64_t(step.rows) * uint64_t(plan.vocab) * sizeof(float);
  if (step.logits % sizeof(float) != 0 || step.logits < tokens ||
      step.logits > step.ioBytes || logits > step.ioBytes - step.logits) {
    return corrupt("logits: " +
                   expected(std::to_string(logits) + " bytes behind " +
                                std::to_string(tokens) + " of tokens, within " +
                                std::to_string(step.ioBytes),
                            "them at " + std::to_string(step.logits)));
  }
  Status status = verify(step.program, plan.config);
  // To programs a mistake is an argument's, to us the file's.
  return status.code() == StatusCode::InvalidArgument
             ? corrupt(status.message())
             : status;
}

Status Planner::planSteps() {
  std::vector<StepProgram> &steps = plan.programs.steps;
  if (steps.empty()) {
    return corrupt("steps: " + expected("at least one", "none"));
  }
  for (const StepProgram &step : steps) {
    if (Status status = checkStep(step); !status.ok()) {
      return Status(status.code(),
                    "program " + step.name + ": " + status.message());
    }
  }
  std::sort(steps.begin(), steps.end(),
            [](const StepProgram &a, const StepProgram &b) {
              return a.rows < b.rows;
            });
  return {};
}

Status Planner::run() {
  Result<Bytes> file = findSegment(".programs", fbs::SegmentKind_CommandStream);
  if (!file.ok()) {
    return corrupt(file.status().message());
  }
  auto programs = readProgramFile(*file);
  if (!programs.ok()) {
    return corrupt("segment " + plan.name +
                   ".programs: " + programs.status().message());
  }
  plan.programs = std::move(*programs);
  for (auto part :
       {&Planner::planConfig, &Planner::planImages, &Planner::planCache,
        &Planner::planSites, &Planner::planSteps}) {
    if (Status status = (this->*part)(); !status.ok()) {
      return status;
    }
  }
  return {};
}

} // namespace

const StepProgram &Plan::getStep(int32_t tokens) const {
  for (const StepProgram &step : programs.steps) {
    if (step.rows >= tokens) {
      return step;
    }
  }
  return programs.steps.back();
}

Result<Plan> npu::makePlan(const Package &package, const std::string &engine) {
  Result<const fbs::Target *> target = findTarget(package, engine);
  if (!target.ok()) {
    return target.status();
  }
  Planner planner(package, **target);
  if (Status status = planner.run(); !status.ok()) {
    return Status(status.code(), "target " + (*target)->name()->str() + ": " +
                                     status.message());
  }
  return std::move(planner.plan);
}
