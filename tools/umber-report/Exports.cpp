// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-report/Exports.h"

namespace umber::tools {

namespace {

/// A value as people write it, without quotes.
std::string print(const Json &value) {
  return value.is_string() ? value.get<std::string>() : toText(value);
}

std::string quote(const std::string &text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) {
    return text;
  }
  std::string quoted = "\"";
  for (char c : text) {
    quoted += c == '"' ? "\"\"" : std::string(1, c);
  }
  return quoted + '"';
}

/// Calls `f` with each name and value, those of objects one by one.
template <typename F>
void forEachValue(const Json &kernel, F f) {
  for (const auto &[key, value] : kernel.items()) {
    if (!value.is_object()) {
      f(key, value);
      continue;
    }
    for (const auto &[part, inner] : value.items()) {
      f(key + "_" + part, inner);
    }
  }
}

} // namespace

std::string makeCsv(const Json &report) {
  std::string text;
  for (const Json &phase : report["phases"]) {
    for (const Json &kernel : phase["kernels"]) {
      if (text.empty()) {
        text = "phase";
        forEachValue(kernel, [&](const std::string &name, const Json &) {
          text += "," + quote(name);
        });
        text += "\r\n";
      }
      text += quote(print(phase["name"]));
      forEachValue(kernel, [&](const std::string &, const Json &value) {
        text += "," + quote(print(value));
      });
      text += "\r\n";
    }
  }
  return text;
}

Json makeGraphs(const Json &report) {
  Json nodes = Json::array();
  const Json &kernels = report["kernels"];
  for (size_t i = 0; i < kernels.size(); ++i) {
    const Json &kernel = kernels[i];
    Json attributes = Json::array(), edges = Json::array();
    auto add = [&](const std::string &key, const std::string &value) {
      attributes.push_back({{"key", key}, {"value", value}});
    };
    add("kind", print(kernel["kind"]));
    for (const Json &op : kernel["ops"]) {
      add(print(op["name"]), print(op["type"]) + " " + print(op["parameter"]) +
                                 " " + print(op["location"]));
    }
    for (const Json &matrix : kernel["matrices"]) {
      const Json &of = report["matrices"][matrix.get<size_t>()];
      add(print(of["name"]), print(of["bits"]) + " bits");
    }
    for (const Json &phase : report["phases"]) {
      if (i < phase["kernels"].size()) {
        forEachValue(phase["kernels"][i],
                     [&](const std::string &name, const Json &value) {
                       add(print(phase["name"]) + " " + name, print(value));
                     });
      }
    }
    for (const Json &input : kernel["inputs"]) {
      edges.push_back({{"sourceNodeId", print(input)},
                       {"sourceNodeOutputId", "0"},
                       {"targetNodeInputId", std::to_string(edges.size())}});
    }
    int64_t layer = kernel["layer"].get<int64_t>();
    nodes.push_back(
        {{"id", std::to_string(i)},
         {"label", kernel["name"]},
         {"namespace", layer < 0 ? "" : "layer " + std::to_string(layer)},
         {"attrs", std::move(attributes)},
         {"incomingEdges", std::move(edges)}});
  }
  return {{"label", report["model"]["name"]},
          {"graphs",
           {{{"id", report["model"]["name"]}, {"nodes", std::move(nodes)}}}}};
}

} // namespace umber::tools
