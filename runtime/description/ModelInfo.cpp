// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/description/ModelInfo.h"

#include "runtime/description/JsonReader.h"

#include <cmath>

using namespace umber;
using Json = nlohmann::json;

namespace {

constexpr int64_t kMostRows = int64_t(1) << 31;
constexpr int64_t kMostBits = 32;
constexpr int64_t kMostRank = 1 << 12;
constexpr int64_t kMostKernels = 1 << 20;

void setNumber(Json &object, const char *key, std::optional<double> value) {
  // JSON has no numbers that are not finite.
  if (value && std::isfinite(*value)) {
    object[key] = *value;
  }
}

Json describe(const MatrixInfo &matrix) {
  Json choices = Json::array();
  for (const WidthChoice &choice : matrix.choices) {
    Json &to = choices.emplace_back(Json{{"bits", uint64_t(choice.bits)},
                                         {"bytes", choice.bytes},
                                         {"stream_bytes", choice.streamBytes}});
    setNumber(to, "loss", choice.loss);
  }
  Json json = {{"name", matrix.name},
               {"rows", uint64_t(matrix.rows)},
               {"columns", uint64_t(matrix.columns)},
               {"encoding", matrix.encoding},
               {"bits", uint64_t(matrix.bits)},
               {"bytes", matrix.bytes},
               {"is_body", uint64_t(matrix.isBody)},
               {"begin", matrix.begin},
               {"end", matrix.end},
               {"rank", uint64_t(matrix.rank)},
               {"choices", std::move(choices)}};
  setNumber(json, "error", matrix.error);
  return json;
}

Json describe(const KernelSource &kernel) {
  Json ops = Json::array();
  for (const SourceOp &op : kernel.ops) {
    ops.push_back({{"name", op.name},
                   {"type", op.type},
                   {"parameter", op.parameter},
                   {"location", op.location}});
  }
  return {{"name", kernel.name},
          {"ops", std::move(ops)},
          {"inputs", kernel.inputs}};
}

/// A number of 0 or more that need not be there.
std::optional<double> readNumber(const Json &object, const char *key,
                                 Status &status) {
  auto it = object.find(key);
  if (it == object.end()) {
    return std::nullopt;
  }
  double value = it->is_number() ? it->get<double>() : NAN;
  if (!std::isfinite(value) || value < 0) {
    if (status.ok()) {
      status = corrupt(std::string(key) + ": expected a number of 0 or more");
    }
    return std::nullopt;
  }
  return value;
}

Status readMatrix(const Json &object, MatrixInfo &matrix) {
  Status status;
  JsonReader reader(object, status);
  matrix.name = reader.text("name");
  matrix.rows = reader.number("rows", 1, kMostRows);
  matrix.columns = reader.number("columns", 1, kMostRows);
  matrix.encoding = reader.text("encoding");
  matrix.bits = reader.number("bits", 1, kMostBits);
  matrix.bytes = reader.bytes("bytes");
  matrix.isBody = reader.number("is_body", 0, 1) != 0;
  matrix.begin = reader.bytes("begin");
  matrix.end = reader.bytes("end");
  matrix.rank = reader.number("rank", 0, kMostRank);
  matrix.error = readNumber(object, "error", status);
  reader.objects("choices", [&](const Json &at) {
    JsonReader of(at, status);
    WidthChoice &choice = matrix.choices.emplace_back();
    choice.bits = of.number("bits", 1, kMostBits);
    choice.bytes = of.bytes("bytes");
    choice.streamBytes = of.bytes("stream_bytes");
    choice.loss = readNumber(at, "loss", status);
  });
  return status;
}

Status readKernel(const Json &object, KernelSource &kernel) {
  Status status;
  JsonReader reader(object, status);
  kernel.name = reader.text("name");
  reader.objects("ops", [&](const Json &at) {
    JsonReader of(at, status);
    SourceOp &op = kernel.ops.emplace_back();
    op.name = of.text("name");
    op.type = of.text("type");
    op.parameter = of.text("parameter");
    op.location = of.text("location");
  });
  for (int64_t input : reader.numbers("inputs", 0, kMostKernels)) {
    kernel.inputs.push_back(static_cast<uint32_t>(input));
  }
  return status;
}

} // namespace

Json umber::toJson(const ModelInfo &info) {
  Json matrices = Json::array(), kernels = Json::array();
  for (const MatrixInfo &matrix : info.matrices) {
    matrices.push_back(describe(matrix));
  }
  for (const KernelSource &kernel : info.kernels) {
    kernels.push_back(describe(kernel));
  }
  return {{"parameters", info.parameters},
          {"body_weights", info.bodyWeights},
          {"body_bytes", info.bodyBytes},
          {"model_bytes", info.modelBytes},
          {"layers", uint64_t(info.layers)},
          {"cache_bits", uint64_t(info.cacheBits)},
          {"head_dim", uint64_t(info.headDim)},
          {"matrices", std::move(matrices)},
          {"kernels", std::move(kernels)}};
}

Result<ModelInfo> umber::readModelInfo(const Json &json) {
  ModelInfo info;
  Status status;
  JsonReader reader(json, status);
  info.parameters = reader.bytes("parameters");
  info.bodyWeights = reader.bytes("body_weights");
  info.bodyBytes = reader.bytes("body_bytes");
  info.modelBytes = reader.bytes("model_bytes");
  info.layers = reader.number("layers", 0, kMostKernels);
  info.cacheBits = reader.number("cache_bits", 0, kMostBits);
  info.headDim = reader.number("head_dim", 0, kMostRows);
  auto add = [&](Status found) {
    if (status.ok() && !found.ok()) {
      status = found;
    }
  };
  reader.objects("matrices", [&](const Json &object) {
    add(readMatrix(object, info.matrices.emplace_back()));
  });
  reader.objects("kernels", [&](const Json &object) {
    add(readKernel(object, info.kernels.emplace_back()));
  });
  for (const KernelSource &kernel : info.kernels) {
    for (uint32_t input : kernel.inputs) {
      if (input >= info.kernels.size()) {
        add(corrupt("inputs: expected numbers below " +
                    std::to_string(info.kernels.size()) + ", found " +
                    std::to_string(input)));
      }
    }
  }
  if (!status.ok()) {
    return status;
  }
  return info;
}
