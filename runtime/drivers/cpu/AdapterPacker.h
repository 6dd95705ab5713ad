// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Brings an adapter's matrices from where a file has them to how kernels read
// them: see umber_low_rank.

#ifndef UMBER_RUNTIME_DRIVERS_CPU_ADAPTERPACKER_H
#define UMBER_RUNTIME_DRIVERS_CPU_ADAPTERPACKER_H

#include "umber/umber_abi.h"

#include <cstdint>
#include <vector>

namespace umber::cpu {

/// `count` rounded up to whole panels.
int64_t paddedToPanel(int64_t count);

/// Matrices of an adapter, in f32: a, [rank][inputs], and b, [outputs][rank].
struct LowRankMatrices {
  int64_t rank, inputs, outputs;
  std::vector<float> a, b;

  LowRankMatrices(int64_t rank, int64_t inputs, int64_t outputs)
      : rank(rank), inputs(inputs), outputs(outputs), a(rank * inputs),
        b(outputs * rank) {}
};

/// Where matrices go: multiples of UMBER_ABI_ALIGNMENT bytes, zeros before, so
/// that padding is.
struct PackedMemory {
  char *a, *b;
  float *scales; ///< [rank]
};

/// Bytes of A or of B, whose sides are `rank` and `side`, at `bits` a value.
uint64_t packedAdapterBytes(int64_t rank, int64_t side, int bits);

/// Rounds to `bits`, 8 or 16, and sets what `site` says of the matrices. Of 8
/// bits every row of A and every column of B has a scale of its own, by which
/// its largest magnitude is 127; both together must be a normal f32, or the
/// matrices are not packed, and the result is false. 16 bits are F16, or BF16
/// where F16 is too small.
bool packAdapter(const LowRankMatrices &matrices, int bits,
                 const PackedMemory &memory, umber_low_rank &site);

} // namespace umber::cpu

#endif // UMBER_RUNTIME_DRIVERS_CPU_ADAPTERPACKER_H
