// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an SSA value is when a program runs.

#ifndef UMBER_DIALECTS_UMBER_INTERPRETER_VALUE_H
#define UMBER_DIALECTS_UMBER_INTERPRETER_VALUE_H

#include "dialects/Umber/Interpreter/Adapters.h"
#include "dialects/Umber/Interpreter/KVCache.h"
#include "dialects/Umber/Interpreter/Tensor.h"
#include <memory>
#include <variant>

namespace umber::interp {

using AdaptersRef = std::shared_ptr<const Adapters>;

/// A tensor (or scalar), a key/value cache, or a set of adapters.
class Value {
public:
  Value(Tensor tensor) : content(std::move(tensor)) {}
  Value(KVCache cache) : content(std::move(cache)) {}
  Value(AdaptersRef adapters) : content(std::move(adapters)) {}

  const Tensor *getTensor() const { return std::get_if<Tensor>(&content); }
  const KVCache *getCache() const { return std::get_if<KVCache>(&content); }
  const Adapters *getAdapters() const {
    const auto *adapters = std::get_if<AdaptersRef>(&content);
    return adapters ? adapters->get() : nullptr;
  }

  /// Whether an SSA value of `type` can have this value.
  bool fits(mlir::Type type) const;
  /// What this is, for a message: `2x3xf32`, or the type.
  std::string describe() const;

private:
  std::variant<Tensor, KVCache, AdaptersRef> content;
};

} // namespace umber::interp

#endif // UMBER_DIALECTS_UMBER_INTERPRETER_VALUE_H
