// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-report/ReportParts.h"

#include <algorithm>

namespace umber::tools {

namespace {

constexpr int64_t kDecodePosition = 512;
constexpr int64_t kPromptTokens = 1024;

Json describe(const MatrixInfo &matrix) {
  Json choices = Json::array();
  for (const WidthChoice &choice : matrix.choices) {
    Json json = {{"bits", choice.bits},
                 {"bytes", choice.bytes},
                 {"stream_bytes", choice.streamBytes}};
    if (choice.loss) {
      json["loss"] = *choice.loss;
    }
    choices.push_back(std::move(json));
  }
  Json json = {{"name", matrix.name},          {"rows", matrix.rows},
               {"columns", matrix.columns},    {"encoding", matrix.encoding},
               {"bits", matrix.bits},          {"bytes", matrix.bytes},
               {"is_body", matrix.isBody},     {"rank", matrix.rank},
               {"choices", std::move(choices)}};
  if (matrix.error) {
    json["error"] = *matrix.error;
  }
  return json;
}

} // namespace

std::vector<Phase> getUsualPhases(int64_t contextLength) {
  return {{true, std::min(kDecodePosition, contextLength - 1)},
          {false, std::min(kPromptTokens, contextLength)}};
}

Json describeModel(const std::string &name, int64_t contextLength,
                   const ModelInfo &info) {
  return {{"name", name},
          {"layers", info.layers},
          {"context_length", contextLength},
          {"parameters", info.parameters},
          {"body_weights", info.bodyWeights},
          {"body_bytes", info.bodyBytes},
          {"model_bytes", info.modelBytes},
          {"cache_bits", info.cacheBits},
          {"head_dim", info.headDim}};
}

Json describeMatrices(const ModelInfo &info) {
  Json matrices = Json::array();
  for (const MatrixInfo &matrix : info.matrices) {
    matrices.push_back(describe(matrix));
  }
  return matrices;
}

Json describeOps(const KernelSource &kernel) {
  Json ops = Json::array();
  for (const SourceOp &op : kernel.ops) {
    ops.push_back({{"name", op.name},
                   {"type", op.type},
                   {"parameter", op.parameter},
                   {"location", op.location}});
  }
  return ops;
}

Json describeParameters(const std::vector<ConfigParameter> &parameters) {
  Json json = Json::array();
  for (const ConfigParameter &parameter : parameters) {
    json.push_back({{"name", parameter.path},
                    {"value", parameter.value},
                    {"provenance", getName(parameter.provenance)},
                    {"source", parameter.source}});
  }
  return json;
}

} // namespace umber::tools
