// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An adapter as it fits a model's package: which of the target's sites its
// pairs are for, and their matrices in the bases in which the target has its
// weights.

#ifndef UMBER_RUNTIME_ADAPTER_FITTEDADAPTER_H
#define UMBER_RUNTIME_ADAPTER_FITTEDADAPTER_H

#include "runtime/adapter/SiteBases.h"

#include <map>
#include <memory>
#include <vector>

namespace umber {

class FittedAdapter {
public:
  /// `model` is a model's metadata and `target` one of its targets, which
  /// outlive this. Errors, with one line `expected …, found …`: Unsupported for
  /// an adapter of another base, a site that the target does not have, or one
  /// of another shape.
  static Result<FittedAdapter> fit(std::shared_ptr<const Adapter> adapter,
                                   const fbs::Package &model,
                                   const fbs::Target &target);

  /// Of all its pairs.
  RowOrder rowOrder() const { return adapter->rowOrder(); }
  /// A target's own corrections (readRecovery), which are in its bases.
  static FittedAdapter recovery(std::shared_ptr<const Adapter> adapter,
                                const fbs::Target &target);

  size_t count() const { return pairs.size(); }
  /// Bits of a value of a target's own corrections, in which a device has them
  /// as they are: 8 if all are I8, else 16. 0 for other adapters.
  int bitsAsStored() const;
  /// A pair, with the file's matrices and scale.
  const AdapterPair &pair(size_t index) const { return *pairs[index].pair; }
  /// The index of its site in Target.sites.
  uint32_t site(size_t index) const { return pairs[index].site; }

  /// Its matrices: a, [rank][inputs], and b, [outputs][rank].
  void load(size_t index, float *a, float *b) const;

private:
  struct Pair {
    const AdapterPair *pair;
    uint32_t site;
  };

  FittedAdapter(std::shared_ptr<const Adapter> adapter,
                const fbs::Target &target)
      : adapter(std::move(adapter)), target(&target), bases(target) {}

  Status addPair(const AdapterPair &pair,
                 const std::map<std::string, uint32_t> &sites);

  std::shared_ptr<const Adapter> adapter;
  const fbs::Target *target;
  std::vector<Pair> pairs;
  SiteBases bases;
  bool isInBases = false; // the target's
};

} // namespace umber

#endif // UMBER_RUNTIME_ADAPTER_FITTEDADAPTER_H
