// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a GGUF file's metadata and tensor table to a module.

#include "dialects/Umber/IR/UmberOps.h"
#include "dialects/Umber/Import/GGUF/GGUFFile.h"
#include "dialects/Umber/Import/Import.h"
#include "dialects/Umber/Import/ModelBuilder.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/xxhash.h"
#include <cmath>

using namespace llvm;
using mlir::umber::RopeScalingKind;

namespace umber {

namespace {

class ConfigReader {
public:
  ConfigReader(const gguf::File &file, StringRef arch)
      : file(file), arch(arch) {}

  Expected<ModelConfig> run();

private:
  std::string key(const Twine &name) { return (arch + "." + name).str(); }

  Error integer(int64_t &value, const Twine &name) {
    auto read = file.getInteger(key(name));
    if (!read) {
      return read.takeError();
    }
    value = *read;
    return Error::success();
  }
  /// Leaves `value` as it is where the key is missing.
  Error optionalInteger(int64_t &value, const Twine &name) {
    return file.has(key(name)) ? integer(value, name) : Error::success();
  }
  Error optionalFloat(double &value, const Twine &name) {
    if (!file.has(key(name))) {
      return Error::success();
    }
    auto read = file.getFloat(key(name));
    if (!read) {
      return read.takeError();
    }
    value = *read;
    return Error::success();
  }
  Error readSizes();
  Error readRopeScaling();

  const gguf::File &file;
  StringRef arch;
  ModelConfig config;
};

Error ConfigReader::readSizes() {
  struct Size {
    int64_t &value;
    StringLiteral name;
  };
  for (auto [value, name] : {Size{config.layers, "block_count"},
                             Size{config.hidden, "embedding_length"},
                             Size{config.heads, "attention.head_count"},
                             Size{config.feedForward, "feed_forward_length"},
                             Size{config.contextLength, "context_length"}}) {
    if (Error error = integer(value, name)) {
      return error;
    }
  }
  config.kvHeads = config.heads;
  if (Error error =
          optionalInteger(config.kvHeads, "attention.head_count_kv")) {
    return error;
  }
  config.headDim = config.heads > 0 ? config.hidden / config.heads : 0;
  if (Error error = optionalInteger(config.headDim, "attention.key_length")) {
    return error;
  }
  int64_t valueLength = config.headDim;
  if (Error error = optionalInteger(valueLength, "attention.value_length")) {
    return error;
  }
  if (valueLength != config.headDim) {
    return file.makeError("key '" + key("attention.value_length") +
                          "': expected the key length " +
                          Twine(config.headDim) + ", found " +
                          Twine(valueLength));
  }
  int64_t experts = 0;
  if (Error error = optionalInteger(experts, "expert_count")) {
    return error;
  }
  if (experts > 0) {
    return file.makeError("mixtures of experts are not supported, found " +
                          Twine(experts) + " experts");
  }
  config.ropeDims = config.headDim;
  config.ropeBase = 10000.0;
  config.normEps = 1e-5;
  if (Error error = optionalInteger(config.ropeDims, "rope.dimension_count")) {
    return error;
  }
  if (Error error = optionalFloat(config.ropeBase, "rope.freq_base")) {
    return error;
  }
  return optionalFloat(config.normEps, "attention.layer_norm_rms_epsilon");
}

Error ConfigReader::readRopeScaling() {
  if (!file.has(key("rope.scaling.type"))) {
    return Error::success();
  }
  auto type = file.getString(key("rope.scaling.type"));
  if (!type) {
    return type.takeError();
  }
  if (*type == "none") {
    return Error::success();
  }
  ModelConfig::RopeScaling scaling;
  if (*type == "linear") {
    scaling.kind = RopeScalingKind::Linear;
  } else if (*type == "yarn") {
    scaling.kind = RopeScalingKind::Yarn;
    // The paper's choice, which GGUF takes for granted.
    scaling.lowFreqFactor = 1.0;
    scaling.highFreqFactor = 32.0;
  } else {
    return file.makeError("key '" + key("rope.scaling.type") +
                          "': expected none, linear or yarn, found " +
                          gguf::quote(*type));
  }
  scaling.originalContext = config.contextLength;
  if (Error error = optionalFloat(scaling.factor, "rope.scaling.factor")) {
    return error;
  }
  if (Error error = optionalInteger(scaling.originalContext,
                                    "rope.scaling.original_context_length")) {
    return error;
  }
  if (!(scaling.factor > 0.0 && scaling.factor < 1e6) ||
      scaling.originalContext < 1 || scaling.originalContext > (1 << 30)) {
    return file.makeError(
        "rope scaling: expected a positive factor and original "
        "context, found " +
        Twine(std::to_string(scaling.factor)) + " and " +
        Twine(scaling.originalContext));
  }
  if (scaling.kind == RopeScalingKind::Yarn && scaling.factor > 1.0) {
    scaling.attentionFactor = 1.0 + 0.1 * std::log(scaling.factor);
  }
  config.ropeScaling = scaling;
  return Error::success();
}

Expected<ModelConfig> ConfigReader::run() {
  config.arch = arch.str();
  config.name = "model";
  if (file.has("general.name")) {
    auto name = file.getString("general.name");
    if (!name) {
      return name.takeError();
    }
    config.name = name->str();
  }
  if (Error error = readSizes()) {
    return error;
  }
  if (Error error = readRopeScaling()) {
    return error;
  }
  const gguf::Tensor *embedding = file.findTensor("token_embd.weight");
  if (!embedding) {
    return file.makeError("expected a tensor 'token_embd.weight', found none");
  }
  config.vocab = embedding->shape.front();
  if (Error error = verifyConfig(config)) {
    return file.makeError(toString(std::move(error)));
  }
  return config;
}

std::string printShape(ArrayRef<int64_t> shape) {
  std::string text;
  raw_string_ostream os(text);
  os << "(";
  interleaveComma(shape, os);
  os << ")";
  return text;
}

/// Checks a tensor's presence and shape, and notes its name as known.
Error checkTensor(const gguf::File &file, const std::string &name,
                  const ParamSpec &spec, StringSet<> &known) {
  known.insert(name);
  const gguf::Tensor *tensor = file.findTensor(name);
  if (!tensor) {
    return spec.required
               ? file.makeError("expected a tensor '" + name + "', found none")
               : Error::success();
  }
  SmallVector<int64_t> shape = {spec.rows};
  if (spec.columns) {
    shape.push_back(spec.columns);
  }
  if (ArrayRef<int64_t>(tensor->shape) != ArrayRef<int64_t>(shape)) {
    return file.makeError("tensor '" + name + "': expected shape " +
                          printShape(shape) + ", found " +
                          printShape(tensor->shape));
  }
  return Error::success();
}

Error checkTensors(const gguf::File &file, const Architecture &architecture,
                   const ModelConfig &config) {
  StringSet<> known;
  for (const ParamSpec &spec : getModelParams(architecture, config)) {
    if (Error error = checkTensor(file, spec.tensor.str(), spec, known)) {
      return error;
    }
  }
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    for (const ParamSpec &spec : getLayerParams(architecture, config)) {
      std::string name = ("blk." + Twine(layer) + "." + spec.tensor).str();
      if (Error error = checkTensor(file, name, spec, known)) {
        return error;
      }
    }
  }
  // A tensor that nothing reads means a model that is not what it seems.
  for (const gguf::Tensor &tensor : file.getTensors()) {
    if (!known.contains(tensor.name)) {
      return file.makeError(
          "tensor " + gguf::quote(tensor.name) +
          ": expected no such tensor in a model of architecture "
          "'" +
          architecture.name + "' with " + Twine(config.layers) + " layers");
    }
  }
  return Error::success();
}

/// See kIdentityAttrName.
uint64_t getIdentity(const gguf::File &file, StringRef arch) {
  SmallVector<uint64_t> parts = {xxh3_64bits(arch)};
  if (auto tokens = file.getStrings("tokenizer.ggml.tokens")) {
    for (StringRef token : *tokens) {
      parts.push_back(xxh3_64bits(token));
    }
  } else {
    consumeError(tokens.takeError());
  }
  for (const gguf::Tensor &tensor : file.getTensors()) {
    parts.append({xxh3_64bits(tensor.name), uint64_t(tensor.type),
                  xxh3_64bits(tensor.data)});
    parts.append(tensor.shape.begin(), tensor.shape.end());
  }
  return xxh3_64bits(ArrayRef(reinterpret_cast<const uint8_t *>(parts.data()),
                              parts.size() * sizeof parts.front()));
}

} // namespace

Expected<mlir::OwningOpRef<mlir::ModuleOp>>
importGGUF(mlir::MLIRContext *context, const gguf::File &file) {
  auto arch = file.getString("general.architecture");
  if (!arch) {
    return arch.takeError();
  }
  auto architecture = findArchitecture(*arch);
  if (!architecture) {
    return file.makeError(toString(architecture.takeError()));
  }
  auto config = ConfigReader(file, *arch).run();
  if (!config) {
    return config.takeError();
  }
  if (Error error = checkTensors(file, **architecture, *config)) {
    return error;
  }
  auto module =
      buildModel(context, **architecture, *config, /*hasWeights=*/true,
                 [&](StringRef name) { return file.findTensor(name); });
  SmallString<256> path(file.getPath());
  sys::fs::make_absolute(path);
  (*module)->setAttr(mlir::umber::kParametersAttrName,
                     mlir::StringAttr::get(context, path));
  (*module)->setAttr(mlir::umber::kIdentityAttrName,
                     mlir::IntegerAttr::get(mlir::IntegerType::get(context, 64),
                                            int64_t(getIdentity(file, *arch))));
  return module;
}

} // namespace umber
