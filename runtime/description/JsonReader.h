// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Strict reading of an object of a file that nobody has checked.

#ifndef UMBER_RUNTIME_DESCRIPTION_JSONREADER_H
#define UMBER_RUNTIME_DESCRIPTION_JSONREADER_H

#include "runtime/package/Status.h"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace umber {

inline Status corrupt(const std::string &message) {
  return Status(StatusCode::CorruptFile, message);
}

/// Reads an object's values, and notes the first that is not as expected.
class JsonReader {
public:
  using Json = nlohmann::json;

  JsonReader(const Json &object, Status &status)
      : object(object), status(status) {}

  const Json *find(const char *key, const char *expected,
                   bool (Json::*is)() const noexcept) {
    auto it = object.find(key);
    if (it == object.end() || !((*it).*is)()) {
      fail(std::string(key) + ": expected " + expected + ", found " +
           (it == object.end() ? "nothing" : it->type_name()));
      return nullptr;
    }
    return &*it;
  }
  std::string text(const char *key) {
    const Json *value = find(key, "a string", &Json::is_string);
    return value ? value->get<std::string>() : std::string();
  }
  int64_t number(const char *key, int64_t least, int64_t most) {
    const Json *value = find(key, "a number", &Json::is_number_unsigned);
    return value ? check(key, *value, least, most) : least;
  }
  /// Of a region at most.
  uint64_t bytes(const char *key) {
    return static_cast<uint64_t>(number(key, 0, int64_t(1) << 40));
  }
  /// Calls `read` with each object of an array, up to the first that is wrong.
  template <typename F>
  void objects(const char *key, F read) {
    const Json *values = find(key, "an array", &Json::is_array);
    for (size_t i = 0; values && status.ok() && i < values->size(); ++i) {
      if (!(*values)[i].is_object()) {
        fail(std::string(key) + ": expected objects, found " +
             (*values)[i].type_name());
        return;
      }
      read((*values)[i]);
    }
  }
  std::vector<int64_t> numbers(const char *key, int64_t least, int64_t most) {
    std::vector<int64_t> result;
    const Json *values = find(key, "an array", &Json::is_array);
    for (size_t i = 0; values && status.ok() && i < values->size(); ++i) {
      const Json &value = (*values)[i];
      if (!value.is_number_unsigned()) {
        fail(std::string(key) + ": expected numbers, found " +
             value.type_name());
        break;
      }
      result.push_back(check(key, value, least, most));
    }
    return result;
  }

private:
  int64_t check(const char *key, const Json &value, int64_t least,
                int64_t most) {
    uint64_t found = value.get<uint64_t>();
    if (found < uint64_t(least) || found > uint64_t(most)) {
      fail(std::string(key) + ": expected " + std::to_string(least) + " to " +
           std::to_string(most) + ", found " + std::to_string(found));
      return least;
    }
    return static_cast<int64_t>(found);
  }
  void fail(const std::string &message) {
    if (status.ok()) {
      status = corrupt(message);
    }
  }

  const Json &object;
  Status &status;
};

} // namespace umber

#endif // UMBER_RUNTIME_DESCRIPTION_JSONREADER_H
