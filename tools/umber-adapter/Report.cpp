// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/umber-adapter/Report.h"

#include "runtime/adapter/Quote.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cinttypes>
#include <cstdio>

namespace umber::tools {

namespace {

const char *nameOf(RowOrder order) {
  return order == RowOrder::GGUF ? "gguf" : "hugging-face";
}

uint64_t bytesOf(const Adapter &adapter) {
  uint64_t sum = 0;
  for (const AdapterPair &pair : adapter.pairs()) {
    sum += pair.bytes();
  }
  return sum;
}

/// 16 hexadecimal digits; empty if it is not known.
std::string hashOf(const Adapter &adapter) {
  char text[17] = "";
  if (adapter.baseHash() != 0) {
    std::snprintf(text, sizeof text, "%016" PRIx64, adapter.baseHash());
  }
  return text;
}

void printLine(const char *label, const std::string &value) {
  std::printf("%-14s%s\n", label, value.empty() ? "unknown" : value.c_str());
}

/// Any bytes may stand in a file's strings, and a terminal obeys some.
std::string shown(const std::string &text) {
  return text.empty() ? "" : quote(text);
}

} // namespace

void printText(const Adapter &adapter) {
  printLine("name", shown(adapter.name()));
  printLine("base", shown(adapter.baseName()));
  printLine("base hash", hashOf(adapter));
  printLine("architecture", shown(adapter.architecture()));
  printLine("row order", nameOf(adapter.rowOrder()));
  printLine("sites", std::to_string(adapter.pairs().size()));
  printLine("bytes", std::to_string(bytesOf(adapter)));
  size_t width = 4;
  for (const AdapterPair &pair : adapter.pairs()) {
    width = std::max(width, shown(pair.site).size() - 2);
  }
  std::printf("\n%-*s  %5s %5s %7s %7s %10s %10s\n", int(width), "site", "type",
              "rank", "inputs", "outputs", "scale", "bytes");
  for (const AdapterPair &pair : adapter.pairs()) {
    std::string site = shown(pair.site);
    std::printf("%-*s  %5s %5" PRId64 " %7" PRId64 " %7" PRId64
                " %10.6g %10" PRIu64 "\n",
                int(width), site.substr(1, site.size() - 2).c_str(),
                fbs::EnumNameDType(pair.dtype), pair.rank, pair.inputs,
                pair.outputs, double(pair.scale), pair.bytes());
  }
}

void printJson(const Adapter &adapter) {
  using Json = nlohmann::ordered_json;
  Json sites = Json::array();
  for (const AdapterPair &pair : adapter.pairs()) {
    sites.push_back({{"site", pair.site},
                     {"dtype", fbs::EnumNameDType(pair.dtype)},
                     {"rank", pair.rank},
                     {"inputs", pair.inputs},
                     {"outputs", pair.outputs},
                     {"scale", pair.scale},
                     {"bytes", pair.bytes()}});
  }
  Json json = {{"name", adapter.name()},
               {"base", adapter.baseName()},
               {"base_hash", hashOf(adapter)},
               {"architecture", adapter.architecture()},
               {"row_order", nameOf(adapter.rowOrder())},
               {"bytes", bytesOf(adapter)},
               {"sites", std::move(sites)}};
  // A file's strings need not be UTF-8.
  std::printf("%s\n",
              json.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

} // namespace umber::tools
