// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The microkernels for encoded parameters, attention and adapters, compiled for
// one instruction set into a library that tests load.

#ifndef UMBER_TEST_UNIT_TARGETS_KERNELTABLE_H
#define UMBER_TEST_UNIT_TARGETS_KERNELTABLE_H

#include <cstdint>

#define UMBER_KERNEL extern "C" __attribute__((visibility("hidden")))

UMBER_KERNEL void umber_uk_linear_encoded_i8(
    const int64_t *encoding, const float *x, int64_t xOffset, int64_t xStride,
    int64_t group, const uint8_t *w, int64_t wOffset, int64_t firstRow,
    float *y, int64_t yOffset, int64_t yStride, int64_t tokens, int64_t rows);
UMBER_KERNEL void umber_uk_linear_encoded_few(
    const int64_t *encoding, const float *x, int64_t xOffset, int64_t xStride,
    int64_t group, const uint8_t *w, int64_t first, int64_t last, float *y,
    int64_t yOffset, int64_t yStride, int64_t tokens, int64_t height);
UMBER_KERNEL void umber_uk_linear_encoded_f32(
    const int64_t *encoding, const float *x, int64_t xOffset, int64_t xStride,
    const uint8_t *w, int64_t wOffset, int64_t firstRow, float *y,
    int64_t yOffset, int64_t yStride, int64_t tokens, int64_t rows);
UMBER_KERNEL void umber_uk_embed_encoded(const int64_t *encoding,
                                         const uint8_t *w, int64_t row,
                                         float *y, int64_t yOffset,
                                         double scale);
UMBER_KERNEL void umber_uk_quantize(const float *x, int64_t xOffset, float *y,
                                    int64_t yOffset, int64_t columns,
                                    int64_t group, int64_t range, int64_t first,
                                    int64_t last);

struct umber_kernel_args;
#define UMBER_ATTENTION_KERNEL(SUFFIX)                                         \
  UMBER_KERNEL void umber_uk_attention_##SUFFIX(                               \
      const umber_kernel_args *step, const float *q, int64_t qOffset,          \
      int64_t qStride, float *y, int64_t yOffset, int64_t yStride,             \
      const void *const *keys, const void *const *values, int64_t scratch,     \
      int64_t heads, int64_t kvHeads, int64_t headDim, int64_t window,         \
      float scale, float softCap);
UMBER_ATTENTION_KERNEL(f16)
UMBER_ATTENTION_KERNEL(i8)
UMBER_ATTENTION_KERNEL(i4)

UMBER_KERNEL void umber_uk_low_rank_inputs(const umber_kernel_args *args,
                                           const int64_t *siteWords,
                                           const float *x, int64_t xOffset,
                                           int64_t columns, int64_t outputs);
UMBER_KERNEL void umber_uk_low_rank_barrier(const umber_kernel_args *args);
UMBER_KERNEL void umber_uk_low_rank_outputs(const umber_kernel_args *args,
                                            const int64_t *siteWords, float *y,
                                            int64_t yOffset, int64_t yStride,
                                            int64_t begin, int64_t end);

struct KernelTable {
  decltype(&umber_uk_linear_encoded_i8) linearQuantized;
  decltype(&umber_uk_linear_encoded_few) linearFew;
  decltype(&umber_uk_linear_encoded_f32) linearFloats;
  decltype(&umber_uk_embed_encoded) embed;
  decltype(&umber_uk_quantize) quantize;
  /// To caches of f16, and of integers of 8 and 4 bits.
  decltype(&umber_uk_attention_f16) attendF16, attendI8, attendI4;
  decltype(&umber_uk_low_rank_inputs) lowRankInputs;
  decltype(&umber_uk_low_rank_barrier) lowRankBarrier;
  decltype(&umber_uk_low_rank_outputs) lowRankOutputs;
};

#endif // UMBER_TEST_UNIT_TARGETS_KERNELTABLE_H
