// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/ParameterUsers.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber {

ParameterUsers::ParameterUsers(ModuleOp module) {
  module.walk([&](Operation *op) {
    for (NamedAttribute attribute : op->getAttrs()) {
      attribute.getValue().walk([&](FlatSymbolRefAttr symbol) {
        users[symbol.getValue()].push_back(op);
      });
    }
  });
}

ArrayRef<Operation *> ParameterUsers::get(StringRef name) const {
  auto it = users.find(name);
  return it == users.end() ? ArrayRef<Operation *>() : it->second;
}

void ParameterUsers::eraseUnused(ModuleOp module) {
  ParameterUsers users(module);
  for (auto param : llvm::make_early_inc_range(module.getOps<ParamOp>())) {
    if (users.get(param.getSymName()).empty()) {
      param.erase();
    }
  }
}

} // namespace umber
