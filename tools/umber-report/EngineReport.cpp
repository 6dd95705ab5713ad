// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-report/EngineReport.h"

#include "runtime/drivers/npu/EngineModel.h"
#include "tools/umber-report/CostPoints.h"
#include "tools/umber-report/EnginePhase.h"
#include "tools/umber-report/ReportParts.h"

#include <algorithm>
#include <filesystem>
#include <map>

namespace umber::tools {

using namespace npu;

namespace {

Json describeDevice(const Config &config) {
  return {{"name", config.name},
          {"summary", config.summary},
          {"kind", "npu"},
          {"palette_values", config.decoder.f16Values ? "f16" : "i8"},
          {"parameters", describeParameters(config.parameters)}};
}

/// What memory and arithmetic allow at most.
Json describeRoofs(const Config &config) {
  Json roofs = Json::array();
  const auto *array = std::get_if<CoreArray>(&config.array);
  if (!array) {
    return roofs;
  }
  double each = 2.0 * config.arrayHz *
                double(array->cores * array->columns * array->inner);
  auto add = [&](const char *name, int64_t rows, bool isMain) {
    if (rows > 0) {
      roofs.push_back({{"name", name},
                       {"ops", each * double(rows)},
                       {"bytes", config.dram.bytesPerSecond},
                       {"isMain", isMain}});
    }
  };
  add("i8", array->rowsI8, true);
  add("f16", array->rowsF16, array->rowsI8 == 0);
  return roofs;
}

/// Kernels with their sources, in the order and by the numbers of phases'.
Json describeKernels(const ProgramFile &programs) {
  std::map<std::string, const KernelSource *> sources;
  std::map<std::string, size_t> matrices;
  if (programs.info) {
    for (const KernelSource &source : programs.info->kernels) {
      sources[source.name] = &source;
    }
    for (const MatrixInfo &matrix : programs.info->matrices) {
      matrices.try_emplace(matrix.name, matrices.size());
    }
  }
  const std::vector<KernelInfo> &kernels = programs.steps.front().kernels;
  std::map<std::string, size_t> numbers;
  Json json = Json::array();
  for (const KernelInfo &kernel : kernels) {
    numbers[kernel.name] = json.size();
    Json ops = Json::array(), inputs = Json::array(), read = Json::array();
    auto found = sources.find(kernel.name);
    if (found != sources.end()) {
      ops = describeOps(*found->second);
      for (const SourceOp &op : found->second->ops) {
        auto matrix = matrices.find(op.parameter);
        // A table's rows are looked up; no width of its stream is meant.
        bool isProduct = op.name == "umber.linear";
        if (isProduct && matrix != matrices.end()) {
          read.push_back(matrix->second);
        }
      }
      for (uint32_t input : found->second->inputs) {
        auto number = numbers.find(programs.info->kernels[input].name);
        if (number != numbers.end()) {
          inputs.push_back(number->second);
        }
      }
    }
    json.push_back({{"name", kernel.name},
                    {"kind", kernel.kind},
                    {"layer", kernel.layer},
                    {"ops", std::move(ops)},
                    {"inputs", std::move(inputs)},
                    {"matrices", std::move(read)}});
  }
  return json;
}

} // namespace

EnginePackage openEnginePackage(const std::string &path,
                                const std::string &device) {
  auto file = take(Package::open(path), "");
  EngineModel model = take(readEngineModel(*file), "");
  EnginePackage package;
  package.path = path;
  package.bytes = std::filesystem::file_size(path);
  if (!model.hasData()) {
    // As large as it would be with its weights.
    package.bytes += model.programs.weightBytes + model.programs.tableBytes;
  }
  package.programs = std::move(model.programs);
  if (package.programs.steps.empty()) {
    throw ToolError(path + ": expected programs, found none");
  }
  // Targets are called so.
  constexpr char kPrefix[] = "npu:";
  std::string name = device.rfind(kPrefix, 0) == 0
                         ? device.substr(sizeof kPrefix - 1)
                         : device;
  package.config = name.empty() ? std::move(model.config)
                                : take(loadConfig(name), "--device: ");
  return package;
}

Json reportEngine(const EnginePackage &package,
                  const std::vector<Phase> &phases) {
  const ProgramFile &programs = package.programs;
  Json described = Json::array();
  int64_t maxTokens = 1;
  for (const StepProgram &step : programs.steps) {
    maxTokens = std::max(maxTokens, step.rows);
  }
  for (const Phase &phase : phases) {
    try {
      PhaseSimulation simulation(programs, package.config, phase);
      Json json = describePhase(simulation);
      addCosts(simulation, json);
      described.push_back(std::move(json));
    } catch (const ToolError &error) {
      throw ToolError(package.path + ": " + error.what());
    }
  }
  ModelInfo info = programs.info.value_or(ModelInfo());
  return {
      {"format", "umber-report"},
      {"version", 1},
      {"model", describeModel(programs.model, programs.contextLength, info)},
      {"package",
       {{"file", package.path},
        {"bytes", package.bytes},
        {"weight_bytes", programs.weightBytes},
        {"table_bytes", programs.tableBytes},
        {"adapter_rank", programs.adapterRank},
        {"adapter_bytes", programs.adapterBytes},
        {"max_tokens", maxTokens}}},
      {"device", describeDevice(package.config)},
      {"roofs", describeRoofs(package.config)},
      {"phases", std::move(described)},
      {"kernels", describeKernels(programs)},
      {"matrices", describeMatrices(info)}};
}

} // namespace umber::tools
