// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/adapter/Forms.h"
#include "runtime/adapter/Pairing.h"
#include "runtime/adapter/PeftConfig.h"
#include "runtime/adapter/Quote.h"
#include "runtime/adapter/Safetensors.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

namespace umber {

namespace {

Status withPath(const std::string &path, const Status &status) {
  return Status(status.code(), path + ": " + status.message());
}

/// "base_model.model.MODULE.lora_A.weight", or with the adapter's name before
/// ".weight".
struct TensorName {
  std::string module;
  bool isB;
  std::string adapter;
};

constexpr std::string_view kPrefix = "base_model.model.";
constexpr std::string_view kWeight = ".weight";

std::optional<TensorName> parseName(std::string_view name) {
  if (name.substr(0, kPrefix.size()) != kPrefix) {
    return std::nullopt;
  }
  name.remove_prefix(kPrefix.size());
  size_t mark = std::min(name.find(".lora_A."), name.find(".lora_B."));
  if (mark == std::string_view::npos) {
    return std::nullopt;
  }
  TensorName parsed = {std::string(name.substr(0, mark)),
                       name.substr(mark, 7) == ".lora_B", ""};
  std::string_view rest = name.substr(mark + 7); // From the next dot on.
  if (rest.size() < kWeight.size() ||
      rest.substr(rest.size() - kWeight.size()) != kWeight) {
    return std::nullopt;
  }
  rest.remove_suffix(kWeight.size());
  if (!rest.empty()) {
    parsed.adapter = std::string(rest.substr(1));
    // PEFT has no dots in an adapter's name.
    if (parsed.adapter.empty() ||
        parsed.adapter.find('.') != std::string::npos) {
      return std::nullopt;
    }
  }
  return parsed;
}

/// Why a tensor of another name cannot be had.
std::string explain(const std::string &name) {
  if (name.find("lora_magnitude_vector") != std::string::npos) {
    return "a magnitude of DoRA, which is not supported";
  }
  if (name.find("lora_embedding_") != std::string::npos) {
    return "one for an embedding, which is not supported";
  }
  if (name.size() > 5 && name.compare(name.size() - 5, 5, ".bias") == 0) {
    return "a bias, which is not supported";
  }
  return "another tensor, which is not supported";
}

class FolderReader {
public:
  explicit FolderReader(const PeftConfig &config) : config(config) {}

  /// Messages have no path.
  Result<std::vector<AdapterPair>> read(Bytes file);

private:
  Status add(const SafeTensor &tensor);

  const PeftConfig &config;
  Pairing pairing;
  std::map<Site, std::string> modules;
  std::optional<std::string> adapter;
};

Status FolderReader::add(const SafeTensor &tensor) {
  std::string where = "tensor " + quote(tensor.name);
  std::optional<TensorName> name = parseName(tensor.name);
  if (!name) {
    return Status(StatusCode::Unsupported,
                  where +
                      ": expected base_model.model.MODULE.lora_A.weight, or "
                      "lora_B, found " +
                      explain(tensor.name));
  }
  std::optional<Site> site = Site::fromModule(name->module);
  if (!site) {
    return Status(StatusCode::Unsupported,
                  where + ": expected model.layers.N with " +
                      Site::listModules() + ", found the module " +
                      quote(name->module) + ", which is not supported");
  }
  auto corrupt = [&](const std::string &expected) {
    return Status(StatusCode::CorruptFile, where + ": expected " + expected);
  };
  if (!config.targets(name->module)) {
    return corrupt("a module that the configuration targets, found " +
                   quote(name->module));
  }
  if (adapter.value_or(name->adapter) != name->adapter) {
    return corrupt("the tensors of one adapter, " + quote(*adapter) +
                   ", found one of " + quote(name->adapter));
  }
  adapter = name->adapter;
  AdapterMatrix matrix = {tensor.name, fbs::DType_F32, 0, 0, tensor.data};
  if (tensor.dtype == "F16") {
    matrix.dtype = fbs::DType_F16;
  } else if (tensor.dtype == "BF16") {
    matrix.dtype = fbs::DType_BF16;
  } else if (tensor.dtype != "F32") {
    return Status(StatusCode::Unsupported,
                  where + ": expected dtype F32, F16 or BF16, found " +
                      tensor.dtype);
  }
  if (tensor.shape.size() != 2 || tensor.data.size == 0) {
    return corrupt("a matrix with elements, found " +
                   std::to_string(tensor.shape.size()) + " dimensions and " +
                   std::to_string(tensor.data.size) + " bytes");
  }
  matrix.rows = int64_t(tensor.shape[0]);
  matrix.columns = int64_t(tensor.shape[1]);
  modules[*site] = name->module;
  if (name->isB) {
    pairing.addB(*site, std::move(matrix));
  } else {
    pairing.addA(*site, std::move(matrix));
  }
  return Status();
}

Result<std::vector<AdapterPair>> FolderReader::read(Bytes file) {
  Result<std::vector<SafeTensor>> tensors = readSafetensors(file);
  if (!tensors.ok()) {
    return tensors.status();
  }
  for (const SafeTensor &tensor : *tensors) {
    if (Status status = add(tensor); !status.ok()) {
      return status;
    }
  }
  return pairing.finish(
      [&](const Site &site, const AdapterMatrix &a) -> Result<float> {
        const std::string &module = modules.at(site);
        int64_t rank = config.rank(module);
        if (a.rows != rank) {
          return Status(StatusCode::CorruptFile,
                        "tensor " + quote(a.tensor) +
                            ": expected the configuration's rank " +
                            std::to_string(rank) + ", found " +
                            std::to_string(a.rows) + " rows");
        }
        return config.scale(module);
      });
}

} // namespace

Result<std::shared_ptr<const Adapter>>
readPeftFolder(const std::string &folder) {
  std::string configPath = folder + "/adapter_config.json";
  auto configFile = MappedFile::open(configPath);
  if (!configFile.ok()) {
    return configFile.status();
  }
  Result<PeftConfig> config = PeftConfig::parse((*configFile)->bytes());
  if (!config.ok()) {
    return withPath(configPath, config.status());
  }
  std::string weightsPath = folder + "/adapter_model.safetensors";
  auto opened = MappedFile::open(weightsPath);
  if (!opened.ok()) {
    return opened.status();
  }
  std::shared_ptr<const MappedFile> weights = std::move(*opened);
  auto pairs = FolderReader(*config).read(weights->bytes());
  if (!pairs.ok()) {
    return withPath(weightsPath, pairs.status());
  }
  AdapterInfo info;
  info.name = nameOfPath(folder);
  info.baseName = config->baseName();
  info.rowOrder = RowOrder::HuggingFace;
  return std::make_shared<const Adapter>(std::move(info), std::move(*pairs),
                                         std::move(weights));
}

} // namespace umber
