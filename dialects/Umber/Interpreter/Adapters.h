// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The interpreter's set of active low-rank adapters.

#ifndef UMBER_DIALECTS_UMBER_INTERPRETER_ADAPTERS_H
#define UMBER_DIALECTS_UMBER_INTERPRETER_ADAPTERS_H

#include "dialects/Umber/Interpreter/Tensor.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

namespace umber::interp {

/// What one adapter adds at one site: scale * B (A x).
struct LowRankPair {
  /// rank x inputs.
  Tensor a;
  /// outputs x rank.
  Tensor b;
  /// The adapter's scale times alpha / rank.
  float scale = 1.0f;
};

/// A value of type !umber.adapters: for each site, named by the parameter that
/// it corrects, the pairs of the active adapters in the order they were added.
class Adapters {
public:
  /// Adds a pair. Fails unless A and B are floating-point matrices of one rank,
  /// which may be 0.
  llvm::Error add(llvm::StringRef site, LowRankPair pair);

  /// The pairs of `site`; empty where no adapter has one.
  llvm::ArrayRef<LowRankPair> getPairs(llvm::StringRef site) const;

private:
  llvm::StringMap<std::vector<LowRankPair>> sites;
};

} // namespace umber::interp

#endif // UMBER_DIALECTS_UMBER_INTERPRETER_ADAPTERS_H
