// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Interpreter/Adapters.h"

namespace umber::interp {

llvm::Error Adapters::add(llvm::StringRef site, LowRankPair pair) {
  if (!pair.a.isFloat() || !pair.b.isFloat() || pair.a.getRank() != 2 ||
      pair.b.getRank() != 2) {
    return llvm::createStringError("adapter for " + site +
                                   ": expected two floating-point matrices");
  }
  if (pair.a.getDim(0) != pair.b.getDim(1)) {
    return llvm::createStringError("adapter for " + site +
                                   ": expected as many rows of A as columns of "
                                   "B, found " +
                                   pair.a.describe() + " and " +
                                   pair.b.describe());
  }
  sites[site].push_back(std::move(pair));
  return llvm::Error::success();
}

llvm::ArrayRef<LowRankPair> Adapters::getPairs(llvm::StringRef site) const {
  auto it = sites.find(site);
  if (it == sites.end()) {
    return {};
  }
  return it->second;
}

} // namespace umber::interp
