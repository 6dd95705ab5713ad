// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/adapter/Site.h"

namespace umber {

namespace {

struct Module {
  std::string_view module, tensor, symbol;
};

constexpr Module kModules[] = {
    {"self_attn.q_proj", "attn_q", "attn.q"},
    {"self_attn.k_proj", "attn_k", "attn.k"},
    {"self_attn.v_proj", "attn_v", "attn.v"},
    {"self_attn.o_proj", "attn_output", "attn.o"},
    {"mlp.gate_proj", "ffn_gate", "ffn.gate"},
    {"mlp.up_proj", "ffn_up", "ffn.up"},
    {"mlp.down_proj", "ffn_down", "ffn.down"},
};

/// Six digits are more layers than there are, and no overflow.
constexpr size_t kMaxDigits = 6;

std::optional<Site> parse(std::string_view text, std::string_view prefix,
                          std::string_view Module::*name) {
  if (text.substr(0, prefix.size()) != prefix) {
    return std::nullopt;
  }
  text.remove_prefix(prefix.size());
  size_t digits = text.find_first_not_of("0123456789");
  // Layers have one name each: no zeros in front.
  if (digits == 0 || digits > kMaxDigits || text[digits] != '.' ||
      (digits > 1 && text[0] == '0')) {
    return std::nullopt;
  }
  Site site = {uint32_t(std::stoul(std::string(text.substr(0, digits)))), 0};
  text.remove_prefix(digits + 1);
  for (const Module &module : kModules) {
    if (text == module.*name) {
      return site;
    }
    ++site.module;
  }
  return std::nullopt;
}

std::string list(std::string_view Module::*name) {
  std::string names;
  for (const Module &module : kModules) {
    names += (names.empty() ? "" : ", ") + std::string(module.*name);
  }
  return names;
}

} // namespace

std::optional<Site> Site::fromModule(std::string_view path) {
  return parse(path, "model.layers.", &Module::module);
}

std::optional<Site> Site::fromTensor(std::string_view name) {
  return parse(name, "blk.", &Module::tensor);
}

std::optional<Site> Site::fromSymbol(std::string_view symbol) {
  return parse(symbol, "l", &Module::symbol);
}

std::string Site::listModules() { return list(&Module::module); }

std::string Site::listTensors() { return list(&Module::tensor); }

bool Site::isReordered() const {
  std::string_view tensor = kModules[module].tensor;
  return tensor == "attn_q" || tensor == "attn_k";
}

std::string Site::moduleName() const {
  return std::string(kModules[module].module);
}

std::string Site::modulePath() const {
  return "model.layers." + std::to_string(layer) + "." + moduleName();
}

std::string Site::name() const {
  return "blk." + std::to_string(layer) + "." +
         std::string(kModules[module].tensor);
}

} // namespace umber
