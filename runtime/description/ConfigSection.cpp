// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/description/ConfigSection.h"

#include "runtime/adapter/Json.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

using namespace umber;

namespace {

std::string print(double number) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.12g", number);
  return text;
}

std::string list(std::initializer_list<const char *> choices) {
  std::string text;
  size_t index = 0;
  for (const char *choice : choices) {
    text += index == 0 ? "" : index + 1 == choices.size() ? " or " : ", ";
    text += choice;
    ++index;
  }
  return text;
}

} // namespace

const char *umber::getName(Provenance provenance) {
  constexpr const char *kNames[] = {"measured", "vendor", "computed", "assumed",
                                    "calibrated"};
  return kNames[static_cast<size_t>(provenance)];
}

void ConfigErrors::add(const std::string &path, const std::string &expected,
                       const std::string &found) {
  add(Status(StatusCode::CorruptFile,
             path + ": expected " + expected + ", found " + found));
}

void ConfigErrors::add(const Status &status) {
  if (first.ok()) {
    first = Status(status.code(), file + ": " + status.message());
  }
}

ConfigSection::ConfigSection(ConfigDocument &document,
                             const nlohmann::json *object, std::string path,
                             std::vector<ConfigParameter> &parameters)
    : document(&document), object(object), path(std::move(path)),
      parameters(&parameters) {}

std::string ConfigSection::pathOf(const char *key) const {
  return path.empty() ? key : path + "." + key;
}

const nlohmann::json *ConfigSection::find(const char *key,
                                          const char *expected) {
  document->asked[path].insert(key);
  // Under a section that was not there: that has been said.
  if (!object) {
    return nullptr;
  }
  auto found = object->find(key);
  if (found == object->end()) {
    document->errors.add(pathOf(key), expected, "no such key");
    return nullptr;
  }
  return &*found;
}

std::string ConfigSection::text(const char *key) {
  const nlohmann::json *value = find(key, "a string");
  if (value && (!value->is_string() || value->get<std::string>().empty())) {
    document->errors.add(pathOf(key), "a string that is not empty",
                         brief(*value));
    value = nullptr;
  }
  return value ? value->get<std::string>() : "";
}

size_t ConfigSection::choose(const char *key, const nlohmann::json *value,
                             std::initializer_list<const char *> choices) {
  if (!value) {
    return 0;
  }
  if (value->is_string()) {
    auto chosen = std::find(choices.begin(), choices.end(),
                            value->get_ref<const std::string &>());
    if (chosen != choices.end()) {
      return static_cast<size_t>(chosen - choices.begin());
    }
  }
  document->errors.add(pathOf(key), list(choices), brief(*value));
  return 0;
}

size_t ConfigSection::kind(const char *key,
                           std::initializer_list<const char *> choices) {
  return choose(key, find(key, "a string"), choices);
}

ConfigSection ConfigSection::section(const char *key) {
  const nlohmann::json *value = find(key, "an object");
  if (value && !value->is_object()) {
    document->errors.add(pathOf(key), "an object", brief(*value));
    value = nullptr;
  }
  return ConfigSection(*document, value, pathOf(key), *parameters);
}

const nlohmann::json *ConfigSection::parameter(const char *key,
                                               const std::string &expected) {
  const nlohmann::json *value =
      find(key, "an object with value, provenance and source");
  if (!value) {
    return nullptr;
  }
  if (!value->is_object()) {
    document->errors.add(pathOf(key),
                         "an object with value, provenance and source",
                         brief(*value));
    return nullptr;
  }
  ConfigSection members(*document, value, pathOf(key), *parameters);
  const nlohmann::json *content = members.find("value", expected.c_str());
  ConfigParameter parameter;
  parameter.path = pathOf(key);
  parameter.provenance = static_cast<Provenance>(
      members.kind("provenance", {"measured", "vendor", "computed", "assumed",
                                  "calibrated"}));
  parameter.source = members.text("source");
  if (content && content->is_number()) {
    parameter.value = content->get<double>();
    parameters->push_back(std::move(parameter));
  }
  return content;
}

double ConfigSection::number(const char *key, double least, double most) {
  std::string expected = "a number from " + print(least) + " to " + print(most);
  const nlohmann::json *value = parameter(key, expected);
  if (!value) {
    return least;
  }
  if (!value->is_number() || !(value->get<double>() >= least) ||
      !(value->get<double>() <= most)) {
    document->errors.add(pathOf(key) + ".value", expected, brief(*value));
    return least;
  }
  return value->get<double>();
}

int64_t ConfigSection::integer(const char *key, int64_t least, int64_t most) {
  std::string expected = "an integer from " + std::to_string(least) + " to " +
                         std::to_string(most);
  const nlohmann::json *value = parameter(key, expected);
  if (!value) {
    return std::max<int64_t>(least, 1);
  }
  // An unsigned one may be above every signed one.
  bool inRange = value->is_number_unsigned()
                     ? value->get<uint64_t>() <= static_cast<uint64_t>(most) &&
                           value->get<int64_t>() >= least
                     : value->is_number_integer() &&
                           value->get<int64_t>() >= least &&
                           value->get<int64_t>() <= most;
  if (!inRange) {
    document->errors.add(pathOf(key) + ".value", expected, brief(*value));
    return std::max<int64_t>(least, 1);
  }
  return value->get<int64_t>();
}

size_t ConfigSection::choice(const char *key,
                             std::initializer_list<const char *> choices) {
  const nlohmann::json *value = parameter(key, list(choices));
  if (!value) {
    return 0;
  }
  return choose(key, value, choices);
}

ConfigDocument::ConfigDocument(Bytes text, ConfigErrors &errors)
    : errors(errors), root(nlohmann::json::object()) {
  // A parameter's members are the deepest.
  Result<nlohmann::json> parsed = parseJson<nlohmann::json>(text, 3);
  if (parsed.ok()) {
    root = std::move(*parsed);
  } else {
    errors.add(parsed.status());
  }
}

void ConfigDocument::set(const std::string &setting) {
  size_t equals = setting.find('=');
  size_t dot = setting.find('.');
  if (equals == std::string::npos || dot > equals) {
    errors.add(quote(setting), "SECTION.KEY=VALUE", "another form");
    return;
  }
  std::string section = setting.substr(0, dot);
  std::string key = setting.substr(dot + 1, equals - dot - 1);
  std::string value = setting.substr(equals + 1);
  auto found = root.find(section);
  if (found == root.end() || !found->is_object() || !found->contains(key) ||
      !(*found)[key].is_object()) {
    errors.add(quote(section + "." + key), "a parameter of the description",
               "none");
    return;
  }
  nlohmann::json number = nlohmann::json::parse(value, nullptr,
                                                /*allow_exceptions=*/false);
  // Whole numbers may be spelled as 2e6.
  constexpr double kMostWhole = 0x1p53;
  if (number.is_number_float()) {
    auto real = number.get<double>();
    if (std::abs(real) < kMostWhole && std::floor(real) == real) {
      number = static_cast<int64_t>(real);
    }
  }
  if (!number.is_number()) {
    number = value;
  }
  (*found)[key] = {{"value", std::move(number)},
                   {"provenance", "assumed"},
                   {"source", "set to another value than the description's"}};
}

std::string ConfigDocument::text() const {
  return root.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

ConfigSection ConfigDocument::top(std::vector<ConfigParameter> &parameters) {
  return ConfigSection(*this, &root, "", parameters);
}

void ConfigDocument::finish() { finish(root, ""); }

void ConfigDocument::finish(const nlohmann::json &object,
                            const std::string &path) {
  const std::set<std::string> &known = asked[path];
  for (const auto &[key, value] : object.items()) {
    std::string inner = path.empty() ? key : path + "." + key;
    if (known.count(key) == 0) {
      errors.add(quote(inner), "only keys of this kind of device",
                 "an unknown one");
    } else if (value.is_object()) {
      finish(value, inner);
    }
  }
}
