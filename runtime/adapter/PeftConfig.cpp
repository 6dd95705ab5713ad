// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/adapter/PeftConfig.h"

#include "runtime/adapter/Site.h"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace umber {

/// Whether `name` is the module's, or its last parts.
static bool isEndOf(std::string_view module, std::string_view name) {
  if (name.size() >= module.size()) {
    return name == module;
  }
  size_t start = module.size() - name.size();
  return module[start - 1] == '.' && module.substr(start) == name;
}

bool PeftConfig::Modules::contains(const std::string &module) const {
  return all || (whole && whole->matchesAll(module)) ||
         std::any_of(names.begin(), names.end(),
                     [&](const auto &name) { return isEndOf(module, name); });
}

bool PeftConfig::targets(const std::string &module) const {
  if (excludedModules.contains(module) || !targetModules.contains(module)) {
    return false;
  }
  if (!layers) {
    return true;
  }
  std::optional<Site> site = Site::fromModule(module);
  bool isLayer = site && std::find(layers->begin(), layers->end(),
                                   int64_t(site->layer)) != layers->end();
  return isLayer && (layerPatterns.empty() ||
                     std::any_of(layerPatterns.begin(), layerPatterns.end(),
                                 [&](const Pattern &pattern) {
                                   return pattern.matchesStart(module);
                                 }));
}

double PeftConfig::find(const Values &values, const std::string &module,
                        double otherwise) {
  for (const auto &[pattern, value] : values) {
    if (pattern.matchesStart(module)) {
      return value;
    }
  }
  return otherwise;
}

int64_t PeftConfig::rank(const std::string &module) const {
  return int64_t(find(rankPattern, module, defaultRank));
}

float PeftConfig::scale(const std::string &module) const {
  double alpha = find(alphaPattern, module, defaultAlpha);
  double rank = find(rankPattern, module, defaultRank);
  return float(alpha / (rankStabilized ? std::sqrt(rank) : rank));
}

} // namespace umber
