// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// y += scale * B (A x) for the adapters that are active at a site: first the
// team computes A x, then, after a barrier, each worker B (A x) for its own
// columns of y. A sum is made in one order, whoever makes it and whichever
// other rows there are.

#include "runtime/include/umber/umber_abi.h"
#include "targets/CPU/ukernels/Vector.h"

using namespace umber;

namespace {

constexpr int kPanel = UMBER_ABI_ADAPTER_PANEL;
using Panel = Vec<float, kPanel>;

/// Sums that are made side by side, so that none waits for its last addition.
constexpr int kTogether = 4;

struct BFloat {
  uint16_t bits;
};

UMBER_INLINE Panel loadPanel(const half *p) { return load<kPanel>(p); }

UMBER_INLINE Panel loadPanel(const BFloat *p) {
  Vec<uint16_t, kPanel> bits;
  __builtin_memcpy(&bits, p, sizeof bits);
  auto wide = __builtin_convertvector(bits, Vec<uint32_t, kPanel>) << 16;
  return __builtin_bit_cast(Panel, wide);
}

/// `Count` elements of A x, of rows of A that are `stride` elements apart.
template <int Count, typename T>
UMBER_INLINE void multiplyRows(const T *a, int64_t stride, const float *x,
                               int64_t columns, float *out) {
  Panel sums[Count] = {};
  int64_t c = 0;
  auto add = [&](Panel v) UMBER_LAMBDA {
#pragma clang loop unroll(full)
    for (int i = 0; i < Count; ++i) {
      sums[i] = fma(loadPanel(a + i * stride + c), v, sums[i]);
    }
  };
  for (; c + kPanel <= columns; c += kPanel) {
    add(load<kPanel>(x + c));
  }
  if (c < columns) {
    float rest[kPanel] = {};
    for (int64_t i = c; i < columns; ++i) {
      rest[i - c] = x[i];
    }
    add(load<kPanel>(rest));
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < Count; ++i) {
    out[i] = sum<kPanel>(sums[i]);
  }
}

/// Elements `first` to `last - 1` of A x.
template <typename T>
UMBER_INLINE void multiplyInputs(const umber_low_rank &pair, const float *x,
                                 int64_t columns, int64_t first, int64_t last,
                                 float *out) {
  int64_t stride = (columns + kPanel - 1) / kPanel * kPanel;
  const T *a = static_cast<const T *>(pair.a);
  for (; first + kTogether <= last; first += kTogether) {
    multiplyRows<kTogether>(a + first * stride, stride, x, columns,
                            out + first);
  }
  for (; first < last; ++first) {
    multiplyRows<1>(a + first * stride, stride, x, columns, out + first);
  }
}

/// Adds `Count` panels, which begin at `b` and `y`; of the last panel of all
/// there may be only `columns` in y.
template <int Count, typename T>
UMBER_INLINE void addPanels(const T *b, int64_t rank, const float *products,
                            float scale, float *y, int64_t columns) {
  Panel sums[Count] = {};
  for (int64_t r = 0; r < rank; ++r) {
#pragma clang loop unroll(full)
    for (int i = 0; i < Count; ++i) {
      sums[i] = fma(loadPanel(b + (i * rank + r) * kPanel), Panel(products[r]),
                    sums[i]);
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < Count; ++i) {
    float *to = y + i * kPanel;
    int64_t left = columns - i * kPanel;
    if (left >= kPanel) {
      store<kPanel>(to, fma(sums[i], Panel(scale), load<kPanel>(to)));
    } else {
      for (int64_t c = 0; c < left; ++c) {
        to[c] = __builtin_fmaf(sums[i][c], scale, to[c]);
      }
    }
  }
}

template <typename T>
UMBER_INLINE void addOutputs(const umber_low_rank &pair, const float *products,
                             float *y, int64_t begin, int64_t end) {
  const T *b = static_cast<const T *>(pair.b);
  auto at = [&](int64_t column) UMBER_LAMBDA { return b + column * pair.rank; };
  auto scale = float(pair.scale);
  int64_t c = begin;
  for (; c + kTogether * kPanel <= end; c += kTogether * kPanel) {
    addPanels<kTogether>(at(c), pair.rank, products, scale, y + c, end - c);
  }
  for (; c < end; c += kPanel) {
    addPanels<1>(at(c), pair.rank, products, scale, y + c, end - c);
  }
}

/// Asks for memory, line by line.
UMBER_INLINE void prefetch(const void *memory, int64_t begin, int64_t end) {
  constexpr int64_t kLine = 64;
  auto *bytes = static_cast<const char *>(memory);
  for (int64_t at = begin; at < end; at += kLine) {
    __builtin_prefetch(bytes + at, 0, 2);
  }
}

/// Asks for what a worker will read of B after the product that comes first, as
/// if columns were split evenly.
UMBER_INLINE void prefetchOutputs(const umber_low_rank &pair,
                                  const umber_kernel_args &args,
                                  int64_t outputs) {
  int64_t bytes = 2 * pair.rank * outputs;
  prefetch(pair.b, bytes * args.worker / args.workers,
           bytes * (args.worker + 1) / args.workers);
}

/// How many of the step's rows a pair is for.
UMBER_INLINE int64_t getRows(const umber_low_rank &pair,
                             const umber_kernel_args &args) {
  int64_t left = args.tokens - pair.first_row;
  return left < pair.rows ? left : pair.rows;
}

} // namespace

/// This worker's part of A x for every adapter of a site, x having `columns`
/// columns and the site's result `outputs`. Offsets are in words.
UMBER_UKERNEL void umber_uk_low_rank_inputs(const umber_kernel_args *args,
                                            const int64_t *siteWords,
                                            const float *x, int64_t xOffset,
                                            int64_t columns, int64_t outputs) {
  auto &site = *reinterpret_cast<const umber_adapter_site *>(siteWords);
  for (int64_t i = 0; i < site.count; ++i) {
    const umber_low_rank &pair = site.adapters[i];
    // Whole rows where there are enough, else elements.
    int64_t rows = getRows(pair, *args);
    bool byRows = rows >= args->workers;
    int64_t units = byRows ? rows : pair.rank;
    int64_t begin = units * args->worker / args->workers;
    int64_t end = units * (args->worker + 1) / args->workers;
    int64_t firstRow = byRows ? begin : 0, lastRow = byRows ? end : rows;
    int64_t first = byRows ? 0 : begin, last = byRows ? pair.rank : end;
    int64_t rowBytes = (columns + kPanel - 1) / kPanel * kPanel * 2;
    prefetch(pair.a, first * rowBytes, last * rowBytes);
    prefetchOutputs(pair, *args, outputs);
    for (int64_t r = firstRow; r < lastRow; ++r) {
      int64_t row = pair.first_row + r;
      const float *from = x + xOffset + row * columns;
      float *to = site.products + row * site.stride + pair.column;
      if (pair.type == UMBER_ABI_F16) {
        multiplyInputs<half>(pair, from, columns, first, last, to);
      } else {
        multiplyInputs<BFloat>(pair, from, columns, first, last, to);
      }
    }
  }
}

/// Adds scale * B (A x) for every adapter of a site to columns `begin` to `end
/// - 1` of y, of which `begin` is at a panel's start. Offsets and strides are
/// in words.
UMBER_UKERNEL void umber_uk_low_rank_outputs(const umber_kernel_args *args,
                                             const int64_t *siteWords, float *y,
                                             int64_t yOffset, int64_t yStride,
                                             int64_t begin, int64_t end) {
  auto &site = *reinterpret_cast<const umber_adapter_site *>(siteWords);
  for (int64_t i = 0; i < site.count; ++i) {
    const umber_low_rank &pair = site.adapters[i];
    for (int64_t r = 0, rows = getRows(pair, *args); r < rows; ++r) {
      int64_t row = pair.first_row + r;
      const float *products = site.products + row * site.stride + pair.column;
      float *to = y + yOffset + row * yStride;
      if (pair.type == UMBER_ABI_F16) {
        addOutputs<half>(pair, products, to, begin, end);
      } else {
        addOutputs<BFloat>(pair, products, to, begin, end);
      }
    }
  }
}
