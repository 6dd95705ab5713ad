// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-sim/Sensitivity.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

namespace umber::tools {

using namespace npu;

namespace {

constexpr double kStep = 0.1;

Result<Config> change(const Config &config, const ConfigParameter &parameter,
                      double value) {
  char text[64];
  std::snprintf(text, sizeof text, "=%.17g", value);
  return parseConfig({reinterpret_cast<const uint8_t *>(config.text.data()),
                      config.text.size()},
                     config.name, {parameter.path + text});
}

Variation vary(const Config &config, const ConfigParameter &parameter,
               double factor, const TimePhase &time) {
  Variation variation;
  variation.value = parameter.value * factor;
  Result<Config> changed = change(config, parameter, variation.value);
  if (!changed.ok()) {
    // Perhaps it is a whole number.
    variation.value =
        factor < 1 ? std::floor(variation.value) : std::ceil(variation.value);
    changed = change(config, parameter, variation.value);
  }
  if (changed.ok()) {
    Result<PhaseTiming> timing = time(*changed);
    if (timing.ok()) {
      variation.seconds = timing->seconds;
    }
  }
  return variation;
}

} // namespace

std::optional<double> Sensitivity::elasticity() const {
  if (!low.seconds || !high.seconds) {
    return std::nullopt;
  }
  return std::log(*high.seconds / *low.seconds) /
         std::log(high.value / low.value);
}

std::vector<Sensitivity> getSensitivities(const Config &config,
                                          const TimePhase &time) {
  std::vector<Sensitivity> sensitivities;
  for (const ConfigParameter &parameter : config.parameters) {
    bool isKnown = parameter.provenance != Provenance::Assumed &&
                   parameter.provenance != Provenance::Calibrated;
    if (isKnown || parameter.value == 0) {
      continue;
    }
    sensitivities.push_back({parameter,
                             vary(config, parameter, 1 - kStep, time),
                             vary(config, parameter, 1 + kStep, time)});
  }
  return sensitivities;
}

void printSensitivities(const ModelReport &report,
                        const std::vector<Sensitivity> &sensitivities,
                        bool json) {
  double perToken = 1e3 / static_cast<double>(report.timing.tokens);
  if (json) {
    using Json = nlohmann::ordered_json;
    auto orNull = [](std::optional<double> value, double factor) {
      return value ? Json(*value * factor) : Json();
    };
    Json list = Json::array();
    for (const Sensitivity &s : sensitivities) {
      auto describe = [&](const Variation &variation) {
        return Json{{"value", variation.value},
                    {"ms_per_token", orNull(variation.seconds, perToken)}};
      };
      list.push_back({{"name", s.parameter.path},
                      {"value", s.parameter.value},
                      {"provenance", getName(s.parameter.provenance)},
                      {"low", describe(s.low)},
                      {"high", describe(s.high)},
                      {"elasticity", orNull(s.elasticity(), 1)}});
    }
    Json object = {{"device", report.config.name},
                   {"model", report.model},
                   {"phase", report.phase},
                   {"ms_per_token", report.timing.seconds * perToken},
                   {"sensitivity", std::move(list)}};
    std::cout << object.dump(2, ' ', false, Json::error_handler_t::replace)
              << '\n';
    return;
  }
  std::vector<Sensitivity> sorted = sensitivities;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Sensitivity &a, const Sensitivity &b) {
                     return std::abs(a.elasticity().value_or(0)) >
                            std::abs(b.elasticity().value_or(0));
                   });
  std::printf("%s, %s on %s: %.4f ms per token\n\n"
              "| parameter | value | provenance | ms at -10 %% | ms at +10 %% "
              "| elasticity |\n| --- | ---: | --- | ---: | ---: | ---: |\n",
              report.model.c_str(), report.phase.c_str(),
              report.config.name.c_str(), report.timing.seconds * perToken);
  for (const Sensitivity &s : sorted) {
    std::printf("| %s | %.6g | %s |", s.parameter.path.c_str(),
                s.parameter.value, getName(s.parameter.provenance));
    for (const Variation *variation : {&s.low, &s.high}) {
      if (variation->seconds) {
        std::printf(" %.4f |", *variation->seconds * perToken);
      } else {
        std::printf(" - |");
      }
    }
    if (std::optional<double> elasticity = s.elasticity()) {
      std::printf(" %+.3f |\n", *elasticity);
    } else {
      std::printf(" - |\n");
    }
  }
}

} // namespace umber::tools
