// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A strict reading of the JSON that describes a device: every key is asked for
// once, and what nobody asked for is an error.

#ifndef UMBER_RUNTIME_DESCRIPTION_CONFIGSECTION_H
#define UMBER_RUNTIME_DESCRIPTION_CONFIGSECTION_H

#include "runtime/package/MappedFile.h"

#include <nlohmann/json.hpp>

#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace umber {

/// Where a parameter's value comes from.
enum class Provenance { Measured, Vendor, Computed, Assumed, Calibrated };

const char *getName(Provenance provenance);

/// A number of a description, for reports on what a result rests on.
struct ConfigParameter {
  std::string path; ///< `section.key`, which ends in the unit
  double value = 0;
  Provenance provenance = Provenance::Assumed;
  std::string source;
};

/// Keeps the first error; after it, values that are read are of no use.
class ConfigErrors {
public:
  explicit ConfigErrors(std::string file) : file(std::move(file)) {}

  void add(const std::string &path, const std::string &expected,
           const std::string &found);
  void add(const Status &status);
  const Status &status() const { return first; }

private:
  std::string file;
  Status first;
};

class ConfigDocument;

/// An object of the file, whose parameters are objects themselves: `{"value":
/// 2, "provenance": "vendor", "source": "…"}`.
class ConfigSection {
public:
  /// A string that is no parameter.
  std::string text(const char *key);
  /// A string that is no parameter, as the index of one of `choices`.
  size_t kind(const char *key, std::initializer_list<const char *> choices);
  ConfigSection section(const char *key);

  /// Parameters. In the ranges given, ends included.
  double number(const char *key, double least, double most);
  int64_t integer(const char *key, int64_t least, int64_t most);
  size_t choice(const char *key, std::initializer_list<const char *> choices);

private:
  friend class ConfigDocument;
  ConfigSection(ConfigDocument &document, const nlohmann::json *object,
                std::string path, std::vector<ConfigParameter> &parameters);

  const nlohmann::json *find(const char *key, const char *expected);
  /// The `value` of a parameter, whose other members are recorded.
  const nlohmann::json *parameter(const char *key, const std::string &expected);
  size_t choose(const char *key, const nlohmann::json *value,
                std::initializer_list<const char *> choices);
  std::string pathOf(const char *key) const;

  ConfigDocument *document;
  const nlohmann::json *object;
  std::string path;
  std::vector<ConfigParameter> *parameters;
};

class ConfigDocument {
public:
  ConfigDocument(Bytes text, ConfigErrors &errors);

  /// Replaces a parameter's value: `SECTION.KEY=VALUE`, a number or a name.
  void set(const std::string &setting);
  std::string text() const;

  ConfigSection top(std::vector<ConfigParameter> &parameters);
  /// Reports the first key that no section was asked for.
  void finish();

private:
  friend class ConfigSection;
  void finish(const nlohmann::json &object, const std::string &path);

  ConfigErrors &errors;
  nlohmann::json root;
  /// The keys asked for, per section's path.
  std::map<std::string, std::set<std::string>> asked;
};

} // namespace umber

#endif // UMBER_RUNTIME_DESCRIPTION_CONFIGSECTION_H
