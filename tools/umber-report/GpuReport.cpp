// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-report/GpuReport.h"

#include "runtime/package/LaneEncoding.h"
#include "runtime/package/Package.h"
#include "tools/common/TraceWriter.h"
#include "tools/umber-report/GpuPhase.h"
#include "tools/umber-report/ReportParts.h"

#include <set>

namespace umber::tools {

using namespace gpu;

namespace {

Json describeDevice(const Config &config) {
  return {{"name", config.name},
          {"summary", config.summary},
          {"kind", "gpu"},
          {"parameters", describeParameters(config.parameters)}};
}

/// What memory and arithmetic allow at most.
Json describeRoofs(const Config &config, bool usesTensorCores) {
  double cycles = double(config.processors.count) * config.processors.hz;
  const ArithmeticConfig &arithmetic = config.arithmetic;
  Json roofs = Json::array();
  auto add = [&](const char *name, double ops) {
    roofs.push_back({{"name", name},
                     {"ops", ops * cycles},
                     {"bytes", config.dram.bytesPerSecond},
                     {"isMain", roofs.empty()}});
  };
  if (usesTensorCores && arithmetic.tensorOps > 0) {
    add("i8, tensor cores", arithmetic.tensorOps);
  }
  add("i8", arithmetic.integerOps);
  if (arithmetic.floatOps != arithmetic.integerOps) {
    add("f32", arithmetic.floatOps);
  }
  return roofs;
}

/// Launches with the ops of their kernels, and the launches whose results they
/// read: those of the stage before, or the last ones of the kernels before.
Json describeLaunches(const LaunchFile &file,
                      const std::vector<const LaunchWork *> &launches) {
  Json json = Json::array();
  // Of each kernel so far, its last launches that run together.
  std::vector<std::vector<size_t>> last(file.info.kernels.size());
  std::set<size_t> before;
  for (size_t i = 0; i < launches.size(); ++i) {
    const LaunchWork &launch = *launches[i];
    std::vector<size_t> &own = last[launch.kernel];
    const KernelSource &kernel = file.info.kernels[launch.kernel];
    if (!launch.withPrevious) {
      before = std::set<size_t>(own.begin(), own.end());
      if (own.empty()) {
        for (uint32_t input : kernel.inputs) {
          before.insert(last[input].begin(), last[input].end());
        }
      }
      own.clear();
    }
    own.push_back(i);
    Json matrices = Json::array();
    if (launch.matrix >= 0) {
      matrices.push_back(launch.matrix);
    }
    json.push_back({{"name", launch.name},
                    {"kind", launch.kind},
                    {"layer", launch.layer},
                    {"ops", describeOps(kernel)},
                    {"inputs", before},
                    {"matrices", std::move(matrices)}});
  }
  return json;
}

Result<LaunchFile> readLaunches(const Package &package) {
  auto fail = [&](const std::string &what) {
    return Status(StatusCode::NotFound, package.path() + ": " + what);
  };
  std::string targets;
  bool isForGpu = false;
  const auto *known = package.meta().targets();
  for (uint32_t i = 0; known && i < known->size(); ++i) {
    std::string name = known->Get(i)->name()->str();
    isForGpu |= name == kGpuTarget;
    targets += (targets.empty() ? "" : ", ") + name;
  }
  if (package.meta().kind() != fbs::PackageKind_Model || !isForGpu) {
    return fail("expected a model for GPUs (--target=gpu), found " +
                (targets.empty() ? "none" : "one for " + targets));
  }
  const auto &segments = *package.meta().segments();
  for (uint32_t i = 0; i < segments.size(); ++i) {
    if (segments.Get(i)->kind() != fbs::SegmentKind_CommandStream ||
        segments.Get(i)->name()->str() != kLaunchesSegment) {
      continue;
    }
    if (Status status = package.verifySegment(i); !status.ok()) {
      return status;
    }
    Result<LaunchFile> file = readLaunchFile(package.segment(i));
    return file.ok() ? std::move(file)
                     : Status(file.status().code(),
                              package.path() + ": " + kLaunchesSegment + ": " +
                                  file.status().message());
  }
  return fail(std::string("expected a segment ") + kLaunchesSegment +
              ", found none: it has been compiled by an Umber that knew of no "
              "estimates");
}

} // namespace

GpuPackage openGpuPackage(const std::string &path, const std::string &device) {
  auto opened = take(Package::open(path), "");
  GpuPackage package;
  package.path = path;
  package.file = take(readLaunches(*opened), "");
  package.bytes = opened->fileSize();
  for (const fbs::Target *target : *opened->meta().targets()) {
    if (!target->parameters() || target->parameters()->size() == 0) {
      // As large as it would be with its weights.
      package.bytes += package.file.info.modelBytes;
    }
  }
  constexpr size_t kPrefix = sizeof kDevicePrefix - 1;
  std::string name =
      device.rfind(kDevicePrefix, 0) == 0 ? device.substr(kPrefix) : device;
  package.config = take(loadConfig(name), "--device: ");
  return package;
}

Json reportGpu(const GpuPackage &package, const std::vector<Phase> &phases) {
  const LaunchFile &file = package.file;
  Estimator estimator =
      take(Estimator::create(file, package.config), package.path + ": ");
  Json described = Json::array();
  for (const Phase &phase : phases) {
    described.push_back(
        describeGpuPhase(estimator, package.config, phase, file.contextLength));
  }
  int64_t maxTokens = 1;
  bool usesTensorCores = false;
  for (const LaunchProgram &program : file.programs) {
    if (program.api != package.config.api) {
      continue;
    }
    maxTokens = std::max(maxTokens, program.rows);
    for (const LaunchWork &launch : program.launches) {
      usesTensorCores |= launch.usesTensorCores;
    }
  }
  return {{"format", "umber-report"},
          {"version", 1},
          {"model", describeModel(file.model, file.contextLength, file.info)},
          {"package",
           {{"file", package.path},
            {"bytes", package.bytes},
            {"weight_bytes", file.info.modelBytes},
            {"max_tokens", maxTokens}}},
          {"device", describeDevice(package.config)},
          {"roofs", describeRoofs(package.config, usesTensorCores)},
          {"phases", std::move(described)},
          {"kernels", describeLaunches(file, estimator.getLaunches())},
          {"matrices", describeMatrices(file.info)}};
}

void writeGpuTrace(const Json &report, const Json &phase,
                   const std::string &path) {
  auto file = createFile(path);
  TraceWriter writer(*file, 0);
  writer.begin({{"model", report["model"]["name"]},
                {"phase", phase["name"]},
                {"device", report["device"]["name"]}});
  writer.nameTrack(0, "launches");
  auto toNanoseconds = [](const Json &seconds) {
    return uint64_t(1e9 * seconds.get<double>() + 0.5);
  };
  for (const Json &run : phase["timeline"]["queues"][0]["runs"]) {
    const Json &kernel = phase["kernels"][run[0].get<size_t>()];
    Json fields = {
        {"name", kernel["name"]},
        {"cat", kernel["kind"]},
        {"args", {{"bound", kernel["bound"]}, {"dram", kernel["dram"]}}}};
    std::string text = toText(fields);
    writer.addSpan(0, toNanoseconds(run[1]), toNanoseconds(run[2]),
                   text.substr(1, text.size() - 2));
  }
  writer.end();
  check(file->commit());
}

} // namespace umber::tools
