// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/drivers/npu/sim/ProgramFile.h"

#include "runtime/drivers/npu/isa/Encoding.h"

#include <nlohmann/json.hpp>

using namespace umber;
using namespace umber::npu;
using Json = nlohmann::json;

namespace {

constexpr char kFormat[] = "umber-npu-programs";
constexpr int64_t kVersion = 1;

/// Rows of a step and positions are no more than this.
constexpr int64_t kMostPositions = int64_t(1) << 24;

Status corrupt(const std::string &message) {
  return Status(StatusCode::CorruptFile, message);
}

/// Reads an object's values, and notes the first that is not as expected.
class Reader {
public:
  Reader(const Json &object, Status &status) : object(object), status(status) {}

  const Json *find(const char *key, const char *expected,
                   bool (Json::*is)() const noexcept) {
    auto it = object.find(key);
    if (it == object.end() || !((*it).*is)()) {
      if (status.ok()) {
        status =
            corrupt(std::string(key) + ": expected " + expected + ", found " +
                    (it == object.end() ? "nothing" : it->type_name()));
      }
      return nullptr;
    }
    return &*it;
  }
  std::string text(const char *key) {
    const Json *value = find(key, "a string", &Json::is_string);
    return value ? value->get<std::string>() : std::string();
  }
  int64_t number(const char *key, int64_t least, int64_t most) {
    const Json *value = find(key, "a number", &Json::is_number_unsigned);
    uint64_t found = value ? value->get<uint64_t>() : uint64_t(least);
    if (found < uint64_t(least) || found > uint64_t(most)) {
      if (status.ok()) {
        status = corrupt(std::string(key) + ": expected " +
                         std::to_string(least) + " to " + std::to_string(most) +
                         ", found " + std::to_string(found));
      }
      return least;
    }
    return static_cast<int64_t>(found);
  }

private:
  const Json &object;
  Status &status;
};

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
  const Json *kernels = reader.find("kernels", "an array", &Json::is_array);
  const Json *program = reader.find("program", "bytes", &Json::is_binary);
  if (!status.ok()) {
    return status;
  }
  for (const Json &kernel : *kernels) {
    if (!kernel.is_string()) {
      return corrupt("kernels: expected strings, found another value");
    }
    step.kernels.push_back(kernel.get<std::string>());
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
    auto bytes = encode(step.program);
    if (!bytes.ok()) {
      return bytes.status();
    }
    steps.push_back({{"name", step.name},
                     {"rows", uint64_t(step.rows)},
                     {"scratchpad_bytes", uint64_t(step.scratchpadBytes)},
                     {"live_bytes", uint64_t(step.liveBytes)},
                     {"kernels", step.kernels},
                     {"program", Json::binary(std::move(*bytes))}});
  }
  return Json::to_cbor(Json{{"format", kFormat},
                            {"version", uint64_t(kVersion)},
                            {"model", file.model},
                            {"device", file.device},
                            {"context_length", uint64_t(file.contextLength)},
                            {"adapter_rank", uint64_t(file.adapterRank)},
                            {"weight_bytes", file.weightBytes},
                            {"steps", std::move(steps)}});
}

Result<ProgramFile> npu::readProgramFile(Bytes bytes) {
  Json object =
      Json::from_cbor(bytes.data, bytes.data + bytes.size, /*strict=*/true,
                      /*allow_exceptions=*/false);
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
  file.contextLength = reader.number("context_length", 1, kMostPositions);
  file.adapterRank = reader.number("adapter_rank", 0, kMostPositions);
  file.weightBytes =
      static_cast<uint64_t>(reader.number("weight_bytes", 0, INT64_MAX));
  const Json *steps = reader.find("steps", "an array", &Json::is_array);
  if (!status.ok()) {
    return status;
  }
  for (const Json &step : *steps) {
    status = readStep(step, file.steps.emplace_back());
    if (!status.ok()) {
      return status;
    }
  }
  return file;
}
