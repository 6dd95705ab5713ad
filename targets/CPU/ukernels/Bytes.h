// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Vectors of bytes: table lookups and products of 8-bit integers, the few
// things that need each instruction set's own instructions.

#ifndef UMBER_TARGETS_CPU_UKERNELS_BYTES_H
#define UMBER_TARGETS_CPU_UKERNELS_BYTES_H

#include "targets/CPU/ukernels/Vector.h"

#if defined(__AVX2__)
#include <immintrin.h>
#else
#include <arm_neon.h>
#endif

namespace umber {

/// Registers hold this many bytes.
inline constexpr int kBytes = 4 * kLanes;

using Bytes = Vec<uint8_t, kBytes>;
using Words = Vec<int32_t, kLanes>;

UMBER_INLINE Bytes loadBytes(const void *p) {
  Bytes v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

/// For each group of 16 lanes, the entries of `tables`' same 16 lanes that
/// `indices`, below 16, name.
UMBER_INLINE Bytes lookUp(Bytes tables, Bytes indices) {
#if defined(__AVX512F__)
  return (Bytes)_mm512_shuffle_epi8((__m512i)tables, (__m512i)indices);
#elif defined(__AVX2__)
  return (Bytes)_mm256_shuffle_epi8((__m256i)tables, (__m256i)indices);
#else
  return (Bytes)vqtbl1q_u8((uint8x16_t)tables, (uint8x16_t)indices);
#endif
}

#if defined(__AVX2__)
UMBER_INLINE Vec<uint8_t, 16> lookUp(Vec<uint8_t, 16> table,
                                     Vec<uint8_t, 16> indices) {
  return (Vec<uint8_t, 16>)_mm_shuffle_epi8((__m128i)table, (__m128i)indices);
}
#endif

#if defined(__AVX512VBMI__)
/// The entries of one table for all lanes that the lower 6 bits of `indices`
/// name.
UMBER_INLINE Bytes lookUpWide(Bytes table, Bytes indices) {
  return (Bytes)_mm512_permutexvar_epi8((__m512i)indices, (__m512i)table);
}

/// The 2^bits entries at `entries`, repeated up to 64: what an index has above
/// the bits of a code is then of no matter.
UMBER_INLINE Bytes repeatEntries(const uint8_t *entries, int64_t bits) {
  Bytes index;
#pragma clang loop unroll(full)
  for (int i = 0; i < kBytes; ++i) {
    index[i] = uint8_t(i);
  }
  index &= Bytes(uint8_t((1 << bits) - 1));
  // Only the table's own bytes are read.
  auto mask = __mmask64(~uint64_t(0) >> (64 - (1 << bits)));
  return lookUpWide((Bytes)_mm512_maskz_loadu_epi8(mask, entries), index);
}
#endif

/// How microkernels want weights for products: with so much added, as unsigned
/// bytes, or, where it is 0, as they are. x86 multiplies unsigned by signed
/// bytes. AVX2 adds pairs of products in 16 bits, which hold those of 7-bit
/// weights, as in tables, with 64 added; 8-bit weights stay as they are, and
/// their signs are moved to x.
#if defined(__AVX512F__)
inline constexpr int kTableBias = 64, kValueBias = 128;
#elif defined(__AVX2__)
inline constexpr int kTableBias = 64, kValueBias = 0;
#else
inline constexpr int kTableBias = 0, kValueBias = 0;
#endif

/// sums[i] + weights[4i .. 4i+3] . x[4i .. 4i+3], exactly. `Bias` is what
/// `weights` have had added.
template <int Bias>
UMBER_INLINE Words addProducts(Words sums, Bytes weights, Bytes x) {
#if defined(__AVX512F__)
  static_assert(Bias != 0, "the instruction multiplies unsigned weights");
  return (Words)_mm512_dpbusd_epi32((__m512i)sums, (__m512i)weights,
                                    (__m512i)x);
#elif defined(__AVX2__)
  __m256i w = (__m256i)weights, v = (__m256i)x;
  if (Bias == 0) {
    v = _mm256_sign_epi8(v, w);
    w = _mm256_abs_epi8(w);
  }
  __m256i pairs = _mm256_maddubs_epi16(w, v);
  return sums + (Words)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
#else
  static_assert(Bias == 0, "the instruction multiplies signed weights");
  return (Words)vdotq_s32((int32x4_t)sums, (int8x16_t)weights, (int8x16_t)x);
#endif
}

} // namespace umber

#endif // UMBER_TARGETS_CPU_UKERNELS_BYTES_H
