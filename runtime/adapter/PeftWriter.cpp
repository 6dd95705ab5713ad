// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/adapter/PeftWriter.h"
#include "runtime/package/OutputFile.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <unistd.h>

namespace umber {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "safetensors are little-endian");

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

/// Which modules have matrices: by their names where every layer that has any
/// has the same, else one by one.
Json listModules(const std::vector<PeftPair> &pairs, bool &areEverywhere) {
  std::map<uint32_t, std::set<std::string>> ofLayer;
  std::set<std::string> paths;
  for (const PeftPair &pair : pairs) {
    ofLayer[pair.site.layer].insert(pair.site.moduleName());
    paths.insert(pair.site.modulePath());
  }
  const std::set<std::string> &first = ofLayer.begin()->second;
  areEverywhere =
      std::all_of(ofLayer.begin(), ofLayer.end(),
                  [&](const auto &layer) { return layer.second == first; });
  if (!areEverywhere) {
    return paths;
  }
  std::set<std::string> names;
  for (const std::string &module : first) {
    names.insert(module.substr(module.rfind('.') + 1));
  }
  return names;
}

Json makeConfig(const std::string &base, const std::vector<PeftPair> &pairs) {
  // PEFT multiplies by alpha / r.
  auto settings = [](const PeftPair &pair) {
    return std::pair(pair.rank, double(pair.scale) * double(pair.rank));
  };
  std::map<std::pair<int64_t, double>, size_t> counts;
  for (const PeftPair &pair : pairs) {
    ++counts[settings(pair)];
  }
  auto usual = std::max_element(counts.begin(), counts.end(),
                                [](const auto &a, const auto &b) {
                                  return a.second < b.second;
                                })
                   ->first;
  Json ranks = Json::object(), alphas = Json::object();
  std::set<uint32_t> layers;
  for (const PeftPair &pair : pairs) {
    auto [rank, alpha] = settings(pair);
    layers.insert(pair.site.layer);
    if (rank != usual.first) {
      ranks[pair.site.modulePath()] = rank;
    }
    if (alpha != usual.second) {
      alphas[pair.site.modulePath()] = alpha;
    }
  }
  bool areEverywhere = false;
  Json modules = listModules(pairs, areEverywhere);
  Json config = {{"peft_type", "LORA"},
                 {"task_type", "CAUSAL_LM"},
                 {"base_model_name_or_path", base},
                 {"r", usual.first},
                 {"lora_alpha", usual.second},
                 {"rank_pattern", ranks},
                 {"alpha_pattern", alphas},
                 {"target_modules", modules},
                 {"layers_to_transform", nullptr},
                 {"lora_dropout", 0.0},
                 {"bias", "none"},
                 {"fan_in_fan_out", false},
                 {"use_rslora", false},
                 {"use_dora", false},
                 {"modules_to_save", nullptr},
                 {"init_lora_weights", true},
                 {"inference_mode", true}};
  if (areEverywhere) {
    config["layers_to_transform"] = layers;
  }
  return config;
}

/// The length of the header and the header, which describes the matrices in
/// their order.
std::string makeHeader(const std::vector<PeftPair> &pairs) {
  Json header = {{"__metadata__", {{"format", "pt"}}}};
  uint64_t offset = 0;
  auto add = [&](const PeftPair &pair, const char *name, int64_t rows,
                 int64_t columns) {
    uint64_t end = offset + uint64_t(rows) * columns * sizeof(float);
    header["base_model.model." + pair.site.modulePath() + "." + name +
           ".weight"] = {{"dtype", "F32"},
                         {"shape", {rows, columns}},
                         {"data_offsets", {offset, end}}};
    offset = end;
  };
  for (const PeftPair &pair : pairs) {
    add(pair, "lora_A", pair.rank, pair.inputs);
    add(pair, "lora_B", pair.outputs, pair.rank);
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  uint64_t size = text.size();
  return std::string(reinterpret_cast<const char *>(&size), sizeof size) + text;
}

/// Writes a file of some parts.
Status writeFile(const fs::path &path,
                 const std::vector<std::string_view> &parts) {
  auto file = OutputFile::create(path.string());
  if (!file.ok()) {
    return file.status();
  }
  for (std::string_view part : parts) {
    Status status = (*file)->append(part.data(), part.size());
    if (!status.ok()) {
      return status;
    }
  }
  return (*file)->commit();
}

Status writeFiles(const std::string &base, const std::vector<PeftPair> &pairs,
                  const fs::path &folder) {
  // Names need not be UTF-8.
  std::string config =
      makeConfig(base, pairs)
          .dump(2, ' ', false, Json::error_handler_t::replace) +
      "\n";
  Status status = writeFile(folder / "adapter_config.json", {config});
  if (!status.ok()) {
    return status;
  }
  std::string header = makeHeader(pairs);
  std::vector<std::string_view> parts = {header};
  for (const PeftPair &pair : pairs) {
    for (const std::vector<float> *matrix : {&pair.a, &pair.b}) {
      parts.emplace_back(reinterpret_cast<const char *>(matrix->data()),
                         matrix->size() * sizeof(float));
    }
  }
  return writeFile(folder / "adapter_model.safetensors", parts);
}

} // namespace

Status writePeftFolder(const std::string &base,
                       const std::vector<PeftPair> &pairs,
                       const std::string &path) {
  std::error_code error;
  fs::path folder = fs::path(path + "/").parent_path();
  auto fail = [&](const std::string &what) {
    return Status(StatusCode::IoError,
                  path + ": " + what + ": " + error.message());
  };
  if (fs::exists(folder, error) &&
      (!fs::is_directory(folder, error) || !fs::is_empty(folder, error))) {
    return Status(StatusCode::InvalidArgument,
                  path + ": expected a new or empty folder, found something "
                         "there");
  }
  fs::path unfinished = folder.string() + ".tmp-" + std::to_string(::getpid());
  if (!fs::create_directory(unfinished, error)) {
    return fail("cannot make a folder beside it");
  }
  Status status = writeFiles(base, pairs, unfinished);
  if (status.ok()) {
    fs::rename(unfinished, folder, error);
    if (!error) {
      return Status();
    }
    status = fail("cannot rename a folder to it");
  }
  std::error_code ignored;
  fs::remove_all(unfinished, ignored);
  return status;
}

} // namespace umber
