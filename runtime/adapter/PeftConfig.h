// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// adapter_config.json, as Hugging Face's PEFT writes it for a LoRA
// (peft/tuners/lora/config.py).

#ifndef UMBER_RUNTIME_ADAPTER_PEFTCONFIG_H
#define UMBER_RUNTIME_ADAPTER_PEFTCONFIG_H

#include "runtime/adapter/Pattern.h"
#include "runtime/package/MappedFile.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace umber {

/// Modules are named as in the base model: "model.layers.3.self_attn.q_proj".
class PeftConfig {
public:
  /// Messages have no path. Unsupported for what changes the model in another
  /// way than by low-rank matrices.
  static Result<PeftConfig> parse(Bytes text);

  const std::string &baseName() const { return base; }
  /// Whether the configuration has the module among those that it adapts.
  bool targets(const std::string &module) const;
  int64_t rank(const std::string &module) const;
  /// What the pair's product is multiplied with.
  float scale(const std::string &module) const;

private:
  friend class PeftConfigReader;

  /// What target_modules and exclude_modules can be.
  struct Modules {
    bool contains(const std::string &module) const;

    bool all = false;               ///< "all-linear"
    std::optional<Pattern> whole;   ///< a string
    std::vector<std::string> names; ///< or the last parts of their names
  };
  /// Values for modules, of which the first that fits counts.
  using Values = std::vector<std::pair<Pattern, double>>;
  static double find(const Values &values, const std::string &module,
                     double otherwise);

  std::string base;
  double defaultRank = 8, defaultAlpha = 8;
  bool rankStabilized = false;
  Values rankPattern, alphaPattern;
  Modules targetModules, excludedModules;
  /// layers_to_transform; none: all.
  std::optional<std::vector<int64_t>> layers;
  /// layers_pattern, each made to end behind the layer's number.
  std::vector<Pattern> layerPatterns;
};

} // namespace umber

#endif // UMBER_RUNTIME_ADAPTER_PEFTCONFIG_H
