// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// JSON from files that nobody vouches for.

#ifndef UMBER_RUNTIME_ADAPTER_JSON_H
#define UMBER_RUNTIME_ADAPTER_JSON_H

#include "runtime/adapter/Quote.h"
#include "runtime/package/MappedFile.h"

#include <nlohmann/json.hpp>

#include <set>
#include <string>
#include <vector>

namespace umber {

/// Parses an object that nests no deeper than `maxDepth` and has no key twice,
/// which every parser understands in its own way. `Json` is nlohmann::json, or
/// nlohmann::ordered_json, which keeps the keys' order but looks them up one by
/// one. CorruptFile: `JSON: expected …, found …`.
template <typename Json>
Result<Json> parseJson(Bytes text, int maxDepth) {
  struct Refusal : std::exception {
    std::string message;
    explicit Refusal(std::string text) : message(std::move(text)) {}
  };
  std::vector<std::set<std::string>> keys;
  using Event = typename Json::parse_event_t;
  auto check = [&](int depth, Event event, Json &parsed) {
    bool starts = event == Event::object_start || event == Event::array_start;
    // The depth of what stands around it.
    if (starts && depth >= maxDepth) {
      throw Refusal("values that nest " + std::to_string(maxDepth) +
                    " deep at most, found deeper ones");
    }
    if (event == Event::object_start) {
      keys.emplace_back();
    } else if (event == Event::object_end) {
      keys.pop_back();
    } else if (event == Event::key &&
               !keys.back().insert(parsed.template get<std::string>()).second) {
      throw Refusal("every key once, found " +
                    quote(parsed.template get<std::string>()) + " twice");
    }
    return true;
  };
  auto corrupt = [](const std::string &expected) {
    return Status(StatusCode::CorruptFile, "JSON: expected " + expected);
  };
  try {
    Json value = Json::parse(text.data, text.data + text.size, check);
    if (!value.is_object()) {
      return corrupt("an object, found " + std::string(value.type_name()));
    }
    return value;
  } catch (const Refusal &refusal) {
    return corrupt(refusal.message);
  } catch (const typename Json::parse_error &error) {
    return corrupt("valid text, found an error at byte " +
                   std::to_string(error.byte));
  } catch (const typename Json::exception &) {
    return corrupt("numbers that fit in 64 bits, found a larger one");
  }
}

/// A value for messages: one line and not a long one.
template <typename Json>
std::string brief(const Json &value) {
  // Others may be large.
  return value.is_primitive() ? quote(value.dump())
                              : "an " + std::string(value.type_name());
}

} // namespace umber

#endif // UMBER_RUNTIME_ADAPTER_JSON_H
