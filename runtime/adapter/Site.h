// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The matrices of a model that an adapter can correct, and what the files call
// them.

#ifndef UMBER_RUNTIME_ADAPTER_SITE_H
#define UMBER_RUNTIME_ADAPTER_SITE_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace umber {

struct Site {
  uint32_t layer;
  uint32_t module; ///< index in the table of Site.cpp, in a layer's order

  /// From a Hugging Face module such as "model.layers.3.self_attn.q_proj".
  static std::optional<Site> fromModule(std::string_view path);
  /// From a GGUF tensor without ".weight", such as "blk.3.attn_q".
  static std::optional<Site> fromTensor(std::string_view name);
  /// From a package's AdapterSite, such as "l3.attn.q".
  static std::optional<Site> fromSymbol(std::string_view symbol);
  /// All modules as fromModule has them behind the layer, or as fromTensor has
  /// them, for messages.
  static std::string listModules();
  static std::string listTensors();

  /// Such as "blk.3.attn_q".
  std::string name() const;
  /// The module behind the layer, such as "self_attn.q_proj".
  std::string moduleName() const;
  /// All of it, such as "model.layers.3.self_attn.q_proj".
  std::string modulePath() const;

  /// Whether GGUF's llama architecture has the rows in another order than
  /// Hugging Face's checkpoints: RowOrder.
  bool isReordered() const;

  bool operator<(const Site &other) const {
    return std::tie(layer, module) < std::tie(other.layer, other.module);
  }
};

} // namespace umber

#endif // UMBER_RUNTIME_ADAPTER_SITE_H
