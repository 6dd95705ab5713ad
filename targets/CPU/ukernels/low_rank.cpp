// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// y += scale * B (A x) for the adapters that are active at a site: first the
// team computes A x, then, after a barrier, each worker B (A x) for its own
// columns of y. A sum is made in one order, whoever makes it and whichever
// other rows there are. With few rows both are bound by memory, and matrices
// are read from their start to their end; with many by arithmetic, and several
// rows share what is loaded.

#include "runtime/include/umber/umber_abi.h"
#include "targets/CPU/ukernels/Vector.h"

using namespace umber;

namespace {

constexpr int kPanel = UMBER_ABI_ADAPTER_PANEL;
constexpr int kQuad = UMBER_ABI_ADAPTER_QUAD;
using Panel = Vec<float, kPanel>;

/// A panel by registers.
constexpr int kParts = kPanel / kLanes;
using Part = Vec<float, kLanes>;

/// Where there are many rows: how many of x, and beside them rows of A, have
/// their sums in registers together; and how many of y, and panels.
constexpr int kRows = kLanes == 16 ? 4 : 3;
constexpr int kBeside = kLanes == 16 ? kQuad : 2;
constexpr int kOutputRows = 6;
constexpr int kPanels = kLanes == 16 ? 2 : 1;

struct BFloat {
  uint16_t bits;
};

UMBER_INLINE Part loadPart(const half *p) { return load<kLanes>(p); }

UMBER_INLINE Part loadPart(const BFloat *p) {
  Vec<uint16_t, kLanes> bits;
  __builtin_memcpy(&bits, p, sizeof bits);
  auto wide = __builtin_convertvector(bits, Vec<uint32_t, kLanes>) << 16;
  return __builtin_bit_cast(Part, wide);
}

UMBER_INLINE Part loadPart(const int8_t *p) {
  Vec<int8_t, kLanes> v;
  __builtin_memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, Part);
}

/// Asks for `Bytes` that will be read soon: those this far behind `p`.
template <int Bytes>
UMBER_INLINE void prefetch(const void *p) {
  constexpr int kLine = 64, kAhead = 2048;
  auto *at = static_cast<const char *>(p) + kAhead;
#pragma clang loop unroll(full)
  for (int i = 0; i < Bytes; i += kLine) {
    __builtin_prefetch(at + i);
  }
}

//===----------------------------------------------------------------------===//
// A x
//===----------------------------------------------------------------------===//

/// Where rows of x are and rows of A x go, in words.
struct Inputs {
  const float *x;
  int64_t columns;
  float *products;
  int64_t stride;
};

/// Elements `0` to `Count - 1` of A x for `Rows` rows, from a quad's panels,
/// which are `step` elements apart.
template <int Rows, int Count, typename T>
UMBER_INLINE void multiplyTile(const T *a, int64_t step, const Inputs &in,
                               const float *scales) {
  Part sums[Rows][Count][kParts] = {};
  auto add = [&](const float *x, int64_t stride) UMBER_LAMBDA {
#pragma clang loop unroll(full)
    for (int part = 0; part < kParts; ++part) {
      Part loaded[Count];
#pragma clang loop unroll(full)
      for (int i = 0; i < Count; ++i) {
        loaded[i] = loadPart(a + i * kPanel + part * kLanes);
      }
#pragma clang loop unroll(full)
      for (int row = 0; row < Rows; ++row) {
        Part v = load<kLanes>(x + row * stride + part * kLanes);
#pragma clang loop unroll(full)
        for (int i = 0; i < Count; ++i) {
          sums[row][i][part] = fma(loaded[i], v, sums[row][i][part]);
        }
      }
    }
    if constexpr (Rows == 1) {
      prefetch<Count * kPanel *int(sizeof(T))>(a);
    }
    a += step;
  };
  int64_t c = 0;
  for (; c + kPanel <= in.columns; c += kPanel) {
    add(in.x + c, in.columns);
  }
  if (c < in.columns) {
    float rest[Rows][kPanel] = {};
    for (int row = 0; row < Rows; ++row) {
      for (int64_t i = c; i < in.columns; ++i) {
        rest[row][i - c] = in.x[row * in.columns + i];
      }
    }
    add(rest[0], kPanel);
  }
#pragma clang loop unroll(full)
  for (int row = 0; row < Rows; ++row) {
#pragma clang loop unroll(full)
    for (int i = 0; i < Count; ++i) {
      Panel lanes;
      __builtin_memcpy(&lanes, sums[row][i], sizeof lanes);
      float product = sum<kPanel>(lanes);
      in.products[row * in.stride + i] = scales ? product * scales[i] : product;
    }
  }
}

/// Elements `first` to `last - 1` of A x for `Rows` rows, `Beside` of a quad at
/// a time where it has them.
template <int Rows, int Beside, typename T>
UMBER_INLINE void multiplyRows(const umber_low_rank &pair, const Inputs &in,
                               int64_t first, int64_t last) {
  int64_t padded = (in.columns + kPanel - 1) / kPanel * kPanel;
  while (first < last) {
    int64_t quad = first / kQuad * kQuad;
    int64_t left = pair.rank - quad;
    int64_t step = (left < kQuad ? left : kQuad) * kPanel;
    const T *a = static_cast<const T *>(pair.a) + quad * padded +
                 (first - quad) * kPanel;
    Inputs to = in;
    to.products += first;
    const float *scales = pair.scales ? pair.scales + first : nullptr;
    int64_t end = quad + kQuad < last ? quad + kQuad : last;
    if (first + Beside <= end) {
      multiplyTile<Rows, Beside>(a, step, to, scales);
      first += Beside;
    } else {
      multiplyTile<Rows, 1>(a, step, to, scales);
      ++first;
    }
  }
}

template <typename T>
UMBER_INLINE void multiplyInputs(const umber_low_rank &pair, Inputs in,
                                 int64_t rows, int64_t first, int64_t last) {
  auto advance = [&](int64_t count) UMBER_LAMBDA {
    in.x += count * in.columns;
    in.products += count * in.stride;
  };
  for (; rows >= kRows; rows -= kRows) {
    multiplyRows<kRows, kBeside, T>(pair, in, first, last);
    advance(kRows);
  }
  for (; rows > 0; --rows) {
    multiplyRows<1, kQuad, T>(pair, in, first, last);
    advance(1);
  }
}

//===----------------------------------------------------------------------===//
// B (A x)
//===----------------------------------------------------------------------===//

/// Where rows of A x are and rows of y, in words.
struct Outputs {
  const float *products;
  int64_t productStride;
  float *y;
  int64_t stride;
};

/// Adds `Count` panels to `Rows` rows; they begin at `b` and `y`.
template <int Rows, int Count, typename T>
UMBER_INLINE void addTile(const T *b, const umber_low_rank &pair,
                          const Outputs &out) {
  Part sums[Rows][Count][kParts] = {};
  for (int64_t r = 0; r < pair.rank; ++r) {
#pragma clang loop unroll(full)
    for (int i = 0; i < Count; ++i) {
      Part loaded[kParts];
#pragma clang loop unroll(full)
      for (int part = 0; part < kParts; ++part) {
        loaded[part] =
            loadPart(b + (i * pair.rank + r) * kPanel + part * kLanes);
      }
#pragma clang loop unroll(full)
      for (int row = 0; row < Rows; ++row) {
        Part product = out.products[row * out.productStride + r];
#pragma clang loop unroll(full)
        for (int part = 0; part < kParts; ++part) {
          sums[row][i][part] = fma(loaded[part], product, sums[row][i][part]);
        }
      }
    }
    if constexpr (Rows == 1) {
      prefetch<Count * kPanel *int(sizeof(T))>(b + r * Count * kPanel);
    }
  }
  auto scale = float(pair.scale);
#pragma clang loop unroll(full)
  for (int row = 0; row < Rows; ++row) {
#pragma clang loop unroll(full)
    for (int i = 0; i < Count * kParts; ++i) {
      float *to = out.y + row * out.stride + i * kLanes;
      Part sum = sums[row][i / kParts][i % kParts];
      store<kLanes>(to, fma(sum, Part(scale), load<kLanes>(to)));
    }
  }
}

/// The last panel, of which y has only `columns`.
template <int Rows, typename T>
UMBER_INLINE void addPart(const T *b, const umber_low_rank &pair,
                          const Outputs &out, int64_t columns) {
  float padded[Rows][kPanel] = {};
  Outputs to = {out.products, out.productStride, padded[0], kPanel};
  for (int row = 0; row < Rows; ++row) {
    for (int64_t c = 0; c < columns; ++c) {
      padded[row][c] = out.y[row * out.stride + c];
    }
  }
  addTile<Rows, 1>(b, pair, to);
  for (int row = 0; row < Rows; ++row) {
    for (int64_t c = 0; c < columns; ++c) {
      out.y[row * out.stride + c] = padded[row][c];
    }
  }
}

/// Columns `begin` to `end - 1` of `Rows` rows, `Beside` panels at a time.
template <int Rows, int Beside, typename T>
UMBER_INLINE void addRows(const umber_low_rank &pair, const Outputs &out,
                          int64_t begin, int64_t end) {
  const T *b = static_cast<const T *>(pair.b);
  auto at = [&](int64_t column) UMBER_LAMBDA {
    Outputs to = out;
    to.y += column;
    return to;
  };
  int64_t c = begin;
  for (; c + Beside * kPanel <= end; c += Beside * kPanel) {
    addTile<Rows, Beside>(b + c * pair.rank, pair, at(c));
  }
  for (; c + kPanel <= end; c += kPanel) {
    addTile<Rows, 1>(b + c * pair.rank, pair, at(c));
  }
  if (c < end) {
    addPart<Rows>(b + c * pair.rank, pair, at(c), end - c);
  }
}

template <typename T>
UMBER_INLINE void addOutputs(const umber_low_rank &pair, Outputs out,
                             int64_t rows, int64_t begin, int64_t end) {
  auto advance = [&](int64_t count) UMBER_LAMBDA {
    out.y += count * out.stride;
    out.products += count * out.productStride;
  };
  for (; rows >= kOutputRows; rows -= kOutputRows) {
    addRows<kOutputRows, kPanels, T>(pair, out, begin, end);
    advance(kOutputRows);
  }
  for (; rows > 0; --rows) {
    addRows<1, kQuad, T>(pair, out, begin, end);
    advance(1);
  }
}

/// Asks for where a worker will begin in B, as if columns were split evenly: by
/// the time that the product is done it is here.
template <typename T>
UMBER_INLINE void prefetchOutputs(const umber_low_rank &pair,
                                  const umber_kernel_args &args,
                                  int64_t outputs) {
  int64_t bytes = pair.rank * outputs * int64_t(sizeof(T));
  auto *begin =
      static_cast<const char *>(pair.b) + bytes * args.worker / args.workers;
  for (int64_t at = 0; at < 2048; at += 64) {
    __builtin_prefetch(begin + at, 0, 2);
  }
}

//===----------------------------------------------------------------------===//
// Sites
//===----------------------------------------------------------------------===//

/// How many of the step's rows a pair is for.
UMBER_INLINE int64_t getRows(const umber_low_rank &pair,
                             const umber_kernel_args &args) {
  int64_t left = args.tokens - pair.first_row;
  return left < pair.rows ? left : pair.rows;
}

/// Whether each worker makes all of A x for itself: of a single row, two do
/// that in less time than they take to wait for each other.
UMBER_INLINE bool areAlone(const umber_kernel_args &args) {
  return args.tokens == 1 && args.workers <= 2;
}

/// Where A x of a row is, or, for workers that are alone, this worker's.
UMBER_INLINE float *getProducts(const umber_adapter_site &site,
                                const umber_low_rank &pair,
                                const umber_kernel_args &args, int64_t row) {
  int64_t own = areAlone(args) ? args.worker : row;
  return site.products + own * site.stride + pair.column;
}

/// Calls f with a null pointer to what the pair's elements are.
template <typename F>
UMBER_INLINE void forType(const umber_low_rank &pair, F f) {
  switch (pair.type) {
  case UMBER_ABI_I8:
    return f(static_cast<int8_t *>(nullptr));
  case UMBER_ABI_BF16:
    return f(static_cast<BFloat *>(nullptr));
  default:
    return f(static_cast<half *>(nullptr));
  }
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
    // Whole rows where there are enough, else quads or, for many workers,
    // elements.
    int64_t rows = getRows(pair, *args), workers = args->workers;
    bool byRows = rows >= workers || areAlone(*args);
    int64_t quads = (pair.rank + kQuad - 1) / kQuad;
    int64_t grain = byRows || quads < workers ? 1 : kQuad;
    int64_t units = byRows ? rows : grain == 1 ? pair.rank : quads;
    int64_t begin = units * args->worker / workers * grain;
    int64_t end = units * (args->worker + 1) / workers * grain;
    if (areAlone(*args)) {
      begin = 0;
      end = rows;
    }
    int64_t firstRow = byRows ? begin : 0, lastRow = byRows ? end : rows;
    int64_t first = byRows ? 0 : begin, last = byRows ? pair.rank : end;
    last = last < pair.rank ? last : pair.rank;
    int64_t row = pair.first_row + firstRow;
    Inputs in = {x + xOffset + row * columns, columns,
                 getProducts(site, pair, *args, row), site.stride};
    forType(pair, [&](auto *type) UMBER_LAMBDA {
      using T = __remove_pointer(decltype(type));
      prefetchOutputs<T>(pair, *args, outputs);
      multiplyInputs<T>(pair, in, lastRow - firstRow, first, last);
    });
  }
}

/// Returns when all of A x is there.
UMBER_UKERNEL void umber_uk_low_rank_barrier(const umber_kernel_args *args) {
  if (!areAlone(*args)) {
    args->barrier(args->barrier_state);
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
    int64_t row = pair.first_row;
    Outputs out = {getProducts(site, pair, *args, row), site.stride,
                   y + yOffset + row * yStride, yStride};
    forType(pair, [&](auto *type) UMBER_LAMBDA {
      using T = __remove_pointer(decltype(type));
      addOutputs<T>(pair, out, getRows(pair, *args), begin, end);
    });
  }
}
