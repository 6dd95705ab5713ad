// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/gpu/estimate/LaunchFile.h"

#include "runtime/description/Cbor.h"
#include "runtime/description/JsonReader.h"

#include <set>

using namespace umber;
using namespace umber::gpu;
using Json = nlohmann::json;

namespace {

constexpr int64_t kMostRows = 1 << 20;
constexpr int64_t kMostGroups = int64_t(1) << 40;
constexpr int64_t kMostPositions = int64_t(1) << 31;
constexpr int64_t kMostLayers = 1 << 20;

/// Calls `f` with the key and each of a launch's numbers, in one order.
template <typename Launch, typename F>
void forEachNumber(Launch &launch, F f) {
  f("kernel", launch.kernel, 0, kMostLayers);
  f("tile_rows", launch.tileRows, 1, kMostRows);
  f("tile_groups", launch.tileGroups, 1, kMostGroups);
  f("threads", launch.threads, 1, 1024);
  f("shared_bytes", launch.sharedBytes, 0, 1 << 24);
  f("parameter_bytes", launch.parameterBytes, 0, kMostGroups);
  f("weights", launch.weights, 0, kMostGroups);
  f("lookup_bytes", launch.lookupBytes, 0, kMostGroups);
  f("input_bytes", launch.inputBytes, 0, kMostGroups);
  f("row_bytes", launch.rowBytes, 0, kMostGroups);
  f("integer_ops", launch.integerOps, 0, kMostGroups);
  f("float_ops", launch.floatOps, 0, kMostGroups);
  f("position_ops", launch.positionOps, 0, kMostGroups);
  f("window", launch.window, 0, kMostPositions);
  f("parts", launch.parts, 1, kMostRows);
  f("part_positions", launch.partPositions, 1, kMostPositions);
  f("cache_bytes", launch.cacheBytes, 0, kMostGroups);
  f("cache_readers", launch.cacheReaders, 0, kMostRows);
  f("adapter_elements", launch.adapterElements, 0, kMostGroups);
  f("correction_elements", launch.correctionElements, 0, kMostGroups);
}

template <typename Launch, typename F>
void forEachFlag(Launch &launch, F f) {
  f("of_outputs", launch.ofOutputs);
  f("with_previous", launch.withPrevious);
  f("uses_tensor_cores", launch.usesTensorCores);
  f("has_codes", launch.hasCodes);
}

Json describe(const LaunchWork &launch) {
  // Numbers are without signs: one more than -1 or an index.
  Json json = {{"name", launch.name},
               {"kind", launch.kind},
               {"layer", uint64_t(launch.layer + 1)},
               {"matrix", uint64_t(launch.matrix + 1)}};
  auto add = [&](const char *key, auto value, int64_t, int64_t) {
    json[key] = uint64_t(value);
  };
  forEachNumber(launch, add);
  forEachFlag(launch, [&](const char *key, bool value) {
    json[key] = uint64_t(value);
  });
  return json;
}

Status readLaunch(const Json &object, const ModelInfo &info,
                  LaunchWork &launch) {
  Status status;
  JsonReader reader(object, status);
  launch.name = reader.text("name");
  launch.kind = reader.text("kind");
  launch.layer = reader.number("layer", 0, kMostLayers) - 1;
  launch.matrix = reader.number("matrix", 0, int64_t(info.matrices.size())) - 1;
  auto read = [&](const char *key, auto &value, int64_t least, int64_t most) {
    value = reader.number(key, least, most);
  };
  forEachNumber(launch, read);
  forEachFlag(launch, [&](const char *key, bool &value) {
    value = reader.number(key, 0, 1) != 0;
  });
  if (status.ok() && launch.kernel >= int64_t(info.kernels.size())) {
    return corrupt("kernel: expected a number below " +
                   std::to_string(info.kernels.size()) + ", found " +
                   std::to_string(launch.kernel));
  }
  return status;
}

Status readProgram(const Json &object, const ModelInfo &info,
                   LaunchProgram &program) {
  Status status;
  JsonReader reader(object, status);
  program.name = reader.text("name");
  program.api = reader.text("api");
  program.rows = reader.number("rows", 1, kMostRows);
  std::set<std::string> names;
  reader.objects("launches", [&](const Json &at) {
    LaunchWork &launch = program.launches.emplace_back();
    status = readLaunch(at, info, launch);
    if (status.ok() && !names.insert(launch.name).second) {
      status = corrupt("name: expected one of its own, found '" + launch.name +
                       "' twice");
    }
  });
  return status;
}

} // namespace

std::vector<uint8_t> gpu::writeLaunchFile(const LaunchFile &file) {
  Json programs = Json::array();
  for (const LaunchProgram &program : file.programs) {
    Json launches = Json::array();
    for (const LaunchWork &launch : program.launches) {
      launches.push_back(describe(launch));
    }
    programs.push_back({{"name", program.name},
                        {"api", program.api},
                        {"rows", uint64_t(program.rows)},
                        {"launches", std::move(launches)}});
  }
  return Json::to_cbor({{"model", file.model},
                        {"context_length", uint64_t(file.contextLength)},
                        {"info", toJson(file.info)},
                        {"programs", std::move(programs)}});
}

Result<LaunchFile> gpu::readLaunchFile(Bytes bytes) {
  Json object = readCbor(bytes);
  if (object.is_discarded() || !object.is_object()) {
    return corrupt("expected an object in CBOR, found another format");
  }
  LaunchFile file;
  Status status;
  JsonReader reader(object, status);
  file.model = reader.text("model");
  file.contextLength = reader.number("context_length", 1, kMostPositions);
  if (const Json *info = reader.find("info", "an object", &Json::is_object)) {
    Result<ModelInfo> read = readModelInfo(*info);
    if (!read.ok()) {
      return read.status();
    }
    file.info = std::move(*read);
  }
  reader.objects("programs", [&](const Json &at) {
    status = readProgram(at, file.info, file.programs.emplace_back());
  });
  if (status.ok() && file.programs.empty()) {
    status = corrupt("programs: expected at least one, found none");
  }
  if (!status.ok()) {
    return status;
  }
  return file;
}
