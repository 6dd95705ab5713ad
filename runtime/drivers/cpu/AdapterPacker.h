// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Brings an adapter's matrices from where a file has them to how kernels read
// them: see umber_low_rank.

#ifndef UMBER_RUNTIME_DRIVERS_CPU_ADAPTERPACKER_H
#define UMBER_RUNTIME_DRIVERS_CPU_ADAPTERPACKER_H

#include "runtime/adapter/FittedAdapter.h"
#include "umber/umber_abi.h"

#include <cstdint>
#include <vector>

namespace umber::cpu {

/// `count` rounded up to whole panels.
int64_t paddedToPanel(int64_t count);

/// A pair of an adapter, with its matrices in f32.
class AdapterPacker {
public:
  AdapterPacker(const FittedAdapter &adapter, size_t index);

  /// Where a pair's matrices go: multiples of UMBER_ABI_ALIGNMENT bytes, zeros
  /// before, so that padding is.
  struct Memory {
    char *a, *b;
    float *scales; ///< [rank]
  };

  /// Bytes of A and of B, whose sides are `rank` and `side`, at `bits` a value.
  static uint64_t bytes(int64_t rank, int64_t side, int bits);

  /// Rounds to `bits`, 8 or 16. Of 8 bits every row of A and every column of B
  /// has a scale of its own, by which its largest magnitude is 127; both
  /// together must be a normal f32, or the pair is not packed, and the result
  /// is false. 16 bits are F16, or BF16 where F16 is too small.
  bool pack(int bits, const Memory &memory, umber_low_rank &site) const;

private:
  bool packIntegers(const Memory &memory, umber_low_rank &site) const;
  void packFloats(const Memory &memory, umber_low_rank &site) const;
  /// Copies matrices of whole elements, in the files' order, to their places.
  template <typename T>
  void arrange(const std::vector<T> &fromA, const std::vector<T> &fromB,
               const Memory &memory) const;

  const AdapterPair &pair;
  std::vector<float> a, b;
};

} // namespace umber::cpu

#endif // UMBER_RUNTIME_DRIVERS_CPU_ADAPTERPACKER_H
