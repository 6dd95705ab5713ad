// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// y = x W^T for one panel: kPanelRows consecutive rows of W, stored column by
// column, so that one column of a panel is one or two vectors. Decode and
// prefill share this code and add up in the same order (the columns', from the
// first to the last), so that their results are bit-identical.

#include "targets/CPU/ukernels/Vector.h"

using namespace umber;

namespace {

constexpr int kPanelRows = 32;

// Accumulators for kBlockTokens x kBlockRows fill the registers and leave room
// for the weights: 24 of 32 registers with NEON, 12 of 16 with AVX2. With
// AVX-512, 16 of 32: more rows of x would need more pointers than there are
// registers for.
#if defined(__AVX512F__)
constexpr int kBlockRows = 32;
constexpr int kBlockTokens = 8;
#else
constexpr int kBlockRows = 16;
constexpr int kBlockTokens = 6;
#endif

template <int Rows, int Tokens, typename W>
UMBER_INLINE void product(const float *x, int64_t xStride, const W *w,
                          int64_t columns, Vec<float, Rows> (&acc)[Tokens]) {
#pragma clang loop unroll(full)
  for (int t = 0; t < Tokens; ++t) {
    acc[t] = Vec<float, Rows>(0.0f);
  }
#pragma clang loop unroll_count(4)
  for (int64_t c = 0; c < columns; ++c) {
    Vec<float, Rows> column = load<Rows>(w + c * kPanelRows);
#pragma clang loop unroll(full)
    for (int t = 0; t < Tokens; ++t) {
      acc[t] = fma(Vec<float, Rows>(x[t * xStride + c]), column, acc[t]);
    }
  }
}

/// Writes the first `rows` of a block's results; a panel at the end of a matrix
/// may have fewer than it has room for.
template <int Rows, int Tokens>
UMBER_INLINE void write(float *y, int64_t yStride, int64_t rows,
                        const Vec<float, Rows> (&acc)[Tokens]) {
#pragma clang loop unroll(full)
  for (int t = 0; t < Tokens; ++t) {
    if (rows >= Rows) {
      store<Rows>(y + t * yStride, acc[t]);
    } else {
      float block[Rows];
      store<Rows>(block, acc[t]);
      for (int64_t r = 0; r < rows; ++r) {
        y[t * yStride + r] = block[r];
      }
    }
  }
}

template <int Tokens, typename W>
UMBER_INLINE void blockOfTokens(const float *x, int64_t xStride, const W *w,
                                float *y, int64_t yStride, int64_t columns,
                                int64_t rows) {
  for (int64_t r = 0; r < rows; r += kBlockRows) {
    Vec<float, kBlockRows> acc[Tokens];
    product<kBlockRows, Tokens>(x, xStride, w + r, columns, acc);
    write<kBlockRows, Tokens>(y + r, yStride, rows - r, acc);
  }
}

template <typename W>
UMBER_INLINE void linear(const float *x, int64_t xStride, const W *w, float *y,
                         int64_t yStride, int64_t tokens, int64_t columns,
                         int64_t rows) {
  if (tokens == 1) {
    // A whole panel at once: its column is one contiguous load, and its
    // accumulators are enough independent chains.
    Vec<float, kPanelRows> acc[1];
    product<kPanelRows, 1>(x, xStride, w, columns, acc);
    write<kPanelRows, 1>(y, yStride, rows, acc);
    return;
  }
  int64_t t = 0;
  for (; t + kBlockTokens <= tokens; t += kBlockTokens) {
    blockOfTokens<kBlockTokens>(x + t * xStride, xStride, w, y + t * yStride,
                                yStride, columns, rows);
  }
  for (; t + 4 <= tokens; t += 4) {
    blockOfTokens<4>(x + t * xStride, xStride, w, y + t * yStride, yStride,
                     columns, rows);
  }
  for (; t < tokens; ++t) {
    blockOfTokens<1>(x + t * xStride, xStride, w, y + t * yStride, yStride,
                     columns, rows);
  }
}

} // namespace

/// One panel: x is tokens x columns, w columns x kPanelRows, y tokens x rows
/// with rows <= kPanelRows. Offsets and strides are in elements.
UMBER_UKERNEL void umber_uk_linear_f16(const float *x, int64_t xOffset,
                                       int64_t xStride, const half *w,
                                       int64_t wOffset, float *y,
                                       int64_t yOffset, int64_t yStride,
                                       int64_t tokens, int64_t columns,
                                       int64_t rows) {
  linear(x + xOffset, xStride, w + wOffset, y + yOffset, yStride, tokens,
         columns, rows);
}

UMBER_UKERNEL void umber_uk_linear_f32(const float *x, int64_t xOffset,
                                       int64_t xStride, const float *w,
                                       int64_t wOffset, float *y,
                                       int64_t yOffset, int64_t yStride,
                                       int64_t tokens, int64_t columns,
                                       int64_t rows) {
  linear(x + xOffset, xStride, w + wOffset, y + yOffset, yStride, tokens,
         columns, rows);
}
