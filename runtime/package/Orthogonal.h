// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Orthogonal matrices that spread what is concentrated in a few elements over
// all, that cost no more than additions, and whose elements take so few values
// that a palette of 2 bits stores them exactly. The compiler moves weights to
// other bases with them, and the runtime the adapters that fit these weights.

#ifndef UMBER_RUNTIME_PACKAGE_ORTHOGONAL_H
#define UMBER_RUNTIME_PACKAGE_ORTHOGONAL_H

#include <cstdint>
#include <optional>
#include <vector>

namespace umber {

/// The symmetric orthogonal matrix D (H x R) D of a given size n = 2^k m, m
/// odd: H is the Hadamard matrix of size 2^k in Sylvester's order over 2^(k/2),
/// R the reflection I - 2/m 11^T (1 for m = 1), x their Kronecker product, and
/// D a diagonal of signs.
class Orthogonal {
public:
  /// None where m - 2 does not fit the 7 bits of a palette's entry: the
  /// elements are +-(m - 2) and +-2 times 1 / (m 2^(k/2)).
  static std::optional<Orthogonal> get(int64_t size);

  /// Replaces M, of `size` rows and `width` columns, row-major, by this matrix
  /// times M.
  void apply(float *m, int64_t width) const;
  /// The same for a vector.
  void apply(float *vector) const { apply(vector, 1); }

  int64_t getSize() const { return int64_t(signs.size()); }

private:
  explicit Orthogonal(int64_t size);

  int64_t powerOfTwo, odd;
  std::vector<float> signs;
};

} // namespace umber

#endif // UMBER_RUNTIME_PACKAGE_ORTHOGONAL_H
