// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From an adapter's single matrices, in the order in which a file has them, to
// its pairs.

#ifndef UMBER_RUNTIME_ADAPTER_PAIRING_H
#define UMBER_RUNTIME_ADAPTER_PAIRING_H

#include "runtime/adapter/Adapter.h"
#include "runtime/adapter/Site.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace umber {

/// A tensor of a file. Its size has been checked, its values have not.
struct AdapterMatrix {
  std::string tensor; ///< as the file calls it
  fbs::DType dtype;   ///< F32, F16 or BF16
  int64_t rows, columns;
  Bytes data;
};

/// Messages have no path.
class Pairing {
public:
  /// Once for a site: a file's tensors have different names, and a site has one
  /// name for each of the two.
  void addA(const Site &site, AdapterMatrix matrix);
  void addB(const Site &site, AdapterMatrix matrix);

  /// What a pair is multiplied with. Its rank is the number of rows of `a`.
  using ScaleOf =
      std::function<Result<float>(const Site &site, const AdapterMatrix &a)>;

  /// Checks that each site has both matrices, that they fit together, and that
  /// all values are finite.
  Result<std::vector<AdapterPair>> finish(const ScaleOf &scaleOf) const;

private:
  struct Halves {
    std::optional<AdapterMatrix> a, b;
  };
  static Result<AdapterPair> makePair(const Site &site, const Halves &halves,
                                      const ScaleOf &scaleOf);

  std::map<Site, Halves> sites;
};

/// Fails if a value of the matrix is infinite or NaN.
Status checkFinite(const AdapterMatrix &matrix);

} // namespace umber

#endif // UMBER_RUNTIME_ADAPTER_PAIRING_H
