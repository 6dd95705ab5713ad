// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/sim/ProgramFile.h"

#include "runtime/description/Cbor.h"
#include "runtime/description/JsonReader.h"
#include "runtime/drivers/npu/isa/Encoding.h"

using namespace umber;
using namespace umber::npu;
using Json = nlohmann::json;

namespace {

constexpr char kFormat[] = "umber-npu-programs";
constexpr int64_t kVersion = 4;

/// Rows of a step and positions are no more than this.
constexpr int64_t kMostPositions = int64_t(1) << 24;

/// Rows and columns of matrices neither.
constexpr int64_t kMostRows = int64_t(1) << 24;

using Reader = JsonReader;

Json describe(const MatrixLayout &matrix) {
  return {{"rows", uint64_t(matrix.rows)},
          {"columns", uint64_t(matrix.columns)},
          {"tile_rows", uint64_t(matrix.tileRows)},
          {"tile_columns", uint64_t(matrix.tileColumns)},
          {"elements", matrix.elements}};
}

/// A matrix of an adapter, which must end within the region's `size` bytes.
Status readMatrix(const Json &site, const char *key, uint64_t size,
                  MatrixLayout &matrix) {
  Status status;
  const Json *object =
      Reader(site, status).find(key, "an object", &Json::is_object);
  if (!object) {
    return status;
  }
  Reader reader(*object, status);
  matrix.region = Region::Adapters;
  matrix.rows = reader.number("rows", 1, kMostRows);
  matrix.columns = reader.number("columns", 1, kMostRows);
  matrix.tileRows = reader.number("tile_rows", 1, kMostRows);
  matrix.tileColumns = reader.number("tile_columns", 1, kMostRows);
  matrix.elements = reader.bytes("elements");
  uint64_t end =
      matrix.elements + 2 * static_cast<uint64_t>(matrix.rows * matrix.columns);
  if (status.ok() && end > size) {
    return corrupt(std::string(key) + ": expected an end within " +
                   std::to_string(size) + " bytes, found " +
                   std::to_string(end));
  }
  return status;
}

Status readSite(const Json &object, uint64_t size, SiteLayout &site) {
  if (!object.is_object()) {
    return corrupt("sites: expected objects, found another value");
  }
  Status status;
  site.name = Reader(object, status).text("name");
  for (auto [key, matrix] :
       {std::pair{"a", &site.a}, std::pair{"a_by_columns", &site.aByColumns},
        std::pair{"b", &site.b}}) {
    if (status.ok()) {
      status = readMatrix(object, key, size, *matrix);
    }
  }
  return status;
}

Status readStep(const Json &object, StepProgram &step) {
  if (!object.is_object()) {
    return corrupt("steps: expected objects, found another value");
  }
  Status status;
  Reader reader(object, status);
  step.name = reader.text("name");
  step.rows = reader.number("rows", 1, kMostPositions);
  step.scratchpadBytes =
      static_cast<uint32_t>(reader.number("scratchpad_bytes", 0, UINT32_MAX));
  step.liveBytes =
      static_cast<uint32_t>(reader.number("live_bytes", 0, UINT32_MAX));
  step.activationBytes = reader.bytes("activation_bytes");
  step.ioBytes = reader.bytes("io_bytes");
  step.logits = reader.bytes("logits");
  const Json *kernels = reader.find("kernels", "an array", &Json::is_array);
  const Json *program = reader.find("program", "bytes", &Json::is_binary);
  if (!status.ok()) {
    return status;
  }
  for (const Json &object : *kernels) {
    if (!object.is_object()) {
      return corrupt("kernels: expected objects, found another value");
    }
    Reader of(object, status);
    KernelInfo &kernel = step.kernels.emplace_back();
    kernel.name = of.text("name");
    kernel.kind = of.text("kind");
    // Layers are counted from 0, and 0 is no layer.
    kernel.layer = of.number("layer", 0, kMostPositions) - 1;
    if (!status.ok()) {
      return status;
    }
  }
  const auto &bytes = program->get_binary();
  auto decoded = decode(Bytes{bytes.data(), bytes.size()});
  if (!decoded.ok()) {
    return decoded.status();
  }
  step.program = std::move(*decoded);
  return {};
}

} // namespace

Result<std::vector<uint8_t>> npu::writeProgramFile(const ProgramFile &file) {
  Json steps = Json::array();
  for (const StepProgram &step : file.steps) {
    Json kernels = Json::array();
    for (const KernelInfo &kernel : step.kernels) {
      kernels.push_back({{"name", kernel.name},
                         {"kind", kernel.kind},
                         {"layer", uint64_t(kernel.layer + 1)}});
    }
    auto bytes = encode(step.program);
    if (!bytes.ok()) {
      return bytes.status();
    }
    steps.push_back({{"name", step.name},
                     {"rows", uint64_t(step.rows)},
                     {"scratchpad_bytes", uint64_t(step.scratchpadBytes)},
                     {"live_bytes", uint64_t(step.liveBytes)},
                     {"activation_bytes", step.activationBytes},
                     {"io_bytes", step.ioBytes},
                     {"logits", step.logits},
                     {"kernels", std::move(kernels)},
                     {"program", Json::binary(std::move(*bytes))}});
  }
  Json sites = Json::array();
  for (const SiteLayout &site : file.sites) {
    sites.push_back({{"name", site.name},
                     {"a", describe(site.a)},
                     {"a_by_columns", describe(site.aByColumns)},
                     {"b", describe(site.b)}});
  }
  Json object = {{"format", kFormat},
                 {"version", uint64_t(kVersion)},
                 {"model", file.model},
                 {"device", file.device},
                 {"description", file.description},
                 {"context_length", uint64_t(file.contextLength)},
                 {"weight_bytes", file.weightBytes},
                 {"table_bytes", file.tableBytes},
                 {"adapter_rank", uint64_t(file.adapterRank)},
                 {"adapter_bytes", file.adapterBytes},
                 {"adapter_scales", file.adapterScales},
                 {"sites", std::move(sites)},
                 {"steps", std::move(steps)}};
  if (file.info) {
    object["info"] = toJson(*file.info);
  }
  return Json::to_cbor(object);
}

Result<ProgramFile> npu::readProgramFile(Bytes bytes) {
  Json object = readCbor(bytes);
  if (!object.is_object()) {
    return corrupt("expected programs of a neural engine, found another file");
  }
  Status status;
  Reader reader(object, status);
  std::string format = reader.text("format");
  int64_t version = reader.number("version", 0, kMostPositions);
  if (status.ok() && format != kFormat) {
    status = corrupt(std::string("format: expected ") + kFormat + ", found '" +
                     format + "'");
  }
  if (status.ok() && version != kVersion) {
    status = corrupt("version: expected " + std::to_string(kVersion) +
                     ", found " + std::to_string(version));
  }
  ProgramFile file;
  file.model = reader.text("model");
  file.device = reader.text("device");
  file.description = reader.text("description");
  file.contextLength = reader.number("context_length", 1, kMostPositions);
  file.weightBytes = reader.bytes("weight_bytes");
  file.tableBytes = reader.bytes("table_bytes");
  file.adapterRank = reader.number("adapter_rank", 0, kMostPositions);
  file.adapterBytes = reader.bytes("adapter_bytes");
  file.adapterScales = reader.bytes("adapter_scales");
  const Json *sites = reader.find("sites", "an array", &Json::is_array);
  const Json *steps = reader.find("steps", "an array", &Json::is_array);
  if (!status.ok()) {
    return status;
  }
  for (const Json &site : *sites) {
    status = readSite(site, file.adapterBytes, file.sites.emplace_back());
    if (!status.ok()) {
      return status;
    }
  }
  if (auto info = object.find("info"); info != object.end()) {
    if (!info->is_object()) {
      return corrupt("info: expected an object, found another value");
    }
    auto read = readModelInfo(*info);
    if (!read.ok()) {
      return read.status();
    }
    file.info = std::move(*read);
  }
  for (const Json &step : *steps) {
    status = readStep(step, file.steps.emplace_back());
    if (!status.ok()) {
      return status;
    }
  }
  return file;
}
