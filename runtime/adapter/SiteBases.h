// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The bases in which a target has the matrices that adapters correct: see
// AdapterSite in umb.fbs. All matrices are row-major.

#ifndef UMBER_RUNTIME_ADAPTER_SITEBASES_H
#define UMBER_RUNTIME_ADAPTER_SITEBASES_H

#include "runtime/adapter/Adapter.h"
#include "runtime/package/Orthogonal.h"

#include <map>

namespace umber {

class SiteBases {
public:
  /// `target` outlives this.
  explicit SiteBases(const fbs::Target &target) : target(&target) {}

  /// Prepares for a site. Unsupported for a rotation that there is none of.
  Status add(const fbs::AdapterSite &site);

  /// Moves a pair for the model's own matrix, a [rank][inputs] and b
  /// [outputs][rank] with rows in that order, to the bases of a site that has
  /// been added.
  void enter(const fbs::AdapterSite &site, RowOrder order, int64_t rank,
             float *a, float *b) const;

  /// The inverse, to rows in Hugging Face's order. Unsupported, `expected …,
  /// found …`, where an absorbed gain of 0, or next to it, has none.
  Status leave(const fbs::AdapterSite &site, int64_t rank, float *a,
               float *b) const;

private:
  const flatbuffers::Vector<float> &gain(const fbs::AdapterSite &site) const {
    return *target->gains()->Get(site.gain())->values();
  }
  /// Both rotations, each of which is its own inverse.
  void rotateInputs(const fbs::AdapterSite &site, int64_t rank, float *a) const;
  void rotateOutputs(const fbs::AdapterSite &site, int64_t rank,
                     float *b) const;

  const fbs::Target *target;
  std::map<uint32_t, Orthogonal> rotations;
};

} // namespace umber

#endif // UMBER_RUNTIME_ADAPTER_SITEBASES_H
