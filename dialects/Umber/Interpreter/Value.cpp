// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Interpreter/Value.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace umber::interp {

bool Value::fits(Type type) const {
  if (const Tensor *tensor = getTensor()) {
    return tensor->fits(type);
  }
  if (const KVCache *cache = getCache()) {
    return cache->getType() == type;
  }
  return isa<mlir::umber::AdaptersType>(type);
}

std::string Value::describe() const {
  if (const Tensor *tensor = getTensor()) {
    return tensor->describe();
  }
  std::string text;
  llvm::raw_string_ostream os(text);
  if (const KVCache *cache = getCache()) {
    os << cache->getType();
  } else {
    os << "a set of adapters";
  }
  return text;
}

} // namespace umber::interp
