// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/adapter/Json.h"
#include "runtime/adapter/PeftConfig.h"

#include <algorithm>
#include <cctype>

namespace umber {

// Of several patterns the first that fits counts, so their order is kept.
using Json = nlohmann::ordered_json;

namespace {

/// Many times what lists of all modules of the largest models take.
constexpr size_t kMaxConfig = 1 << 18;
/// No key of these nests deeper, but others are read over.
constexpr int kConfigDepth = 16;
constexpr double kMaxRank = 1 << 20;

/// What changes the model's sums. Set to anything but false, null or nothing
/// at all, they are refused; other keys are for training.
constexpr const char *kUnsupported[] = {
    "use_dora",
    "lora_bias",
    "fan_in_fan_out",
    "modules_to_save",
    "layer_replication",
    "target_parameters",
    "trainable_token_indices",
    "alora_invocation_tokens",
    "use_qalora",
    "use_bdlora",
    "arrow_config",
    "kasa_config",
    "monteclora_config",
};

/// Ways to begin a training that leave the base's weights as they are; PEFT
/// changes them for the others whenever it loads the adapter.
constexpr const char *kInitializations[] = {"gaussian", "eva", "orthogonal"};

bool isOff(const Json &value) {
  return value.is_null() || value == false ||
         ((value.is_array() || value.is_object()) && value.empty());
}

Status bad(const std::string &key, const std::string &expected,
           const Json &found) {
  return Status(StatusCode::CorruptFile, "'" + key + "': expected " + expected +
                                             ", found " + brief(found));
}

Status unsupported(const std::string &key, const std::string &expected,
                   const Json &found) {
  return Status(StatusCode::Unsupported, "'" + key + "': expected " + expected +
                                             ", found " + brief(found) +
                                             ", which is not supported");
}

} // namespace

class PeftConfigReader {
public:
  explicit PeftConfigReader(const Json &json) : json(json) {}

  Result<PeftConfig> run() {
    for (Status (PeftConfigReader::*read)() :
         {&PeftConfigReader::refuse, &PeftConfigReader::readNumbers,
          &PeftConfigReader::readModules, &PeftConfigReader::readLayers}) {
      if (Status status = (this->*read)(); !status.ok()) {
        return status;
      }
    }
    return std::move(config);
  }

private:
  using Modules = PeftConfig::Modules;

  /// Null if there is no such key.
  const Json &get(const char *key) const {
    static const Json kNull;
    auto found = json.find(key);
    return found == json.end() ? kNull : *found;
  }

  Status refuse();
  Status readNumbers();
  Status readModules();
  Status readLayers();

  static bool isRank(const Json &value) {
    return value.is_number_integer() && value.get<double>() >= 1 &&
           value.get<double>() <= kMaxRank;
  }
  static bool isNumber(const Json &value) { return value.is_number(); }

  Status readPatterns(const char *key, bool (*isGood)(const Json &),
                      const char *expected, PeftConfig::Values &values) const;
  Status readModules(const char *key, Modules &modules) const;
  /// A regular expression of the configuration, with more around it.
  Result<Pattern> parsePattern(const char *key, const std::string &before,
                               const std::string &text,
                               const std::string &after) const;

  const Json &json;
  PeftConfig config;
};

Status PeftConfigReader::refuse() {
  if (get("peft_type") != "LORA") {
    return unsupported("peft_type", "\"LORA\"", get("peft_type"));
  }
  for (const char *key : kUnsupported) {
    if (!isOff(get(key))) {
      return unsupported(key, "none", get(key));
    }
  }
  const Json &bias = get("bias");
  if (!bias.is_null() && bias != "none") {
    return unsupported("bias", "\"none\"", bias);
  }
  const Json &init = get("init_lora_weights");
  bool isKnown =
      std::any_of(std::begin(kInitializations), std::end(kInitializations),
                  [&](const char *name) { return init == name; });
  if (!init.is_null() && !init.is_boolean() && !isKnown) {
    return unsupported("init_lora_weights",
                       "one that leaves the base's weights alone", init);
  }
  return Status();
}

Status PeftConfigReader::readNumbers() {
  const Json &base = get("base_model_name_or_path");
  if (base.is_string()) {
    config.base = base.get<std::string>();
  } else if (!base.is_null()) {
    return bad("base_model_name_or_path", "a string", base);
  }
  // PEFT has defaults for both, but writes every key.
  if (!isRank(get("r"))) {
    return bad("r", "an integer from 1 to 2^20", get("r"));
  }
  config.defaultRank = get("r").get<double>();
  if (!isNumber(get("lora_alpha"))) {
    return bad("lora_alpha", "a number", get("lora_alpha"));
  }
  config.defaultAlpha = get("lora_alpha").get<double>();
  const Json &stabilized = get("use_rslora");
  if (!stabilized.is_null() && !stabilized.is_boolean()) {
    return bad("use_rslora", "true or false", stabilized);
  }
  config.rankStabilized = stabilized == true;
  if (Status status =
          readPatterns("rank_pattern", isRank, "integers from 1 to 2^20",
                       config.rankPattern);
      !status.ok()) {
    return status;
  }
  return readPatterns("alpha_pattern", isNumber, "numbers",
                      config.alphaPattern);
}

Result<Pattern> PeftConfigReader::parsePattern(const char *key,
                                               const std::string &before,
                                               const std::string &text,
                                               const std::string &after) const {
  Result<Pattern> pattern = Pattern::parse(before + text + after);
  if (pattern.ok()) {
    return pattern;
  }
  return Status(pattern.status().code(), std::string("'") + key + "', " +
                                             quote(text) + ": " +
                                             pattern.status().message());
}

Status PeftConfigReader::readPatterns(const char *key,
                                      bool (*isGood)(const Json &),
                                      const char *expected,
                                      PeftConfig::Values &values) const {
  const Json &object = get(key);
  if (object.is_null()) {
    return Status();
  }
  if (!object.is_object()) {
    return bad(key, "an object", object);
  }
  for (const auto &[name, value] : object.items()) {
    if (!isGood(value)) {
      return bad(key, expected, value);
    }
    // As PEFT's get_pattern_key.
    Result<Pattern> pattern = parsePattern(key, "(.*\\.)?(", name, ")$");
    if (!pattern.ok()) {
      return pattern.status();
    }
    values.emplace_back(std::move(*pattern), value.get<double>());
  }
  return Status();
}

Status PeftConfigReader::readModules(const char *key, Modules &modules) const {
  const Json &value = get(key);
  if (value.is_string()) {
    Result<Pattern> pattern =
        parsePattern(key, "", value.get<std::string>(), "");
    if (!pattern.ok()) {
      return pattern.status();
    }
    modules.whole = std::move(*pattern);
    return Status();
  }
  bool isList = value.is_array() &&
                std::all_of(value.begin(), value.end(),
                            [](const Json &name) { return name.is_string(); });
  if (!isList) {
    return bad(key, "a list of modules, or a pattern", value);
  }
  modules.names = value.get<std::vector<std::string>>();
  return Status();
}

Status PeftConfigReader::readModules() {
  const Json &excluded = get("exclude_modules");
  if (!isOff(excluded) && excluded != "") {
    if (Status status = readModules("exclude_modules", config.excludedModules);
        !status.ok()) {
      return status;
    }
  }
  const Json &targets = get("target_modules");
  if (targets.is_string()) {
    std::string name = targets.get<std::string>();
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    if (name == "all-linear") {
      config.targetModules.all = true;
      return Status();
    }
  }
  return readModules("target_modules", config.targetModules);
}

Status PeftConfigReader::readLayers() {
  const Json &layers = get("layers_to_transform");
  if (isOff(layers)) {
    return Status();
  }
  // One number stands for a list of one.
  Json list = layers.is_array() ? layers : Json::array({layers});
  bool isList = std::all_of(list.begin(), list.end(), [](const Json &layer) {
    return layer.is_number_unsigned();
  });
  if (!isList) {
    return bad("layers_to_transform", "a layer's number, or a list of them",
               layers);
  }
  if (!get("target_modules").is_array()) {
    return bad("layers_to_transform", "none without a list of target_modules",
               layers);
  }
  config.layers = list.get<std::vector<int64_t>>();
  const Json &patterns = get("layers_pattern");
  if (isOff(patterns) || patterns == "") {
    return Status();
  }
  Json texts = patterns.is_array() ? patterns : Json::array({patterns});
  for (const Json &text : texts) {
    if (!text.is_string()) {
      return bad("layers_pattern", "a pattern, or a list of them", patterns);
    }
    Result<Pattern> pattern = parsePattern(
        "layers_pattern", ".*?\\.", text.get<std::string>(), "\\.(\\d+)\\.");
    if (!pattern.ok()) {
      return pattern.status();
    }
    config.layerPatterns.push_back(std::move(*pattern));
  }
  return Status();
}

Result<PeftConfig> PeftConfig::parse(Bytes text) {
  if (text.size > kMaxConfig) {
    return Status(StatusCode::CorruptFile,
                  "expected at most " + std::to_string(kMaxConfig) +
                      " bytes, found " + std::to_string(text.size));
  }
  Result<Json> json = parseJson<Json>(text, kConfigDepth);
  if (!json.ok()) {
    return json.status();
  }
  return PeftConfigReader(*json).run();
}

} // namespace umber
