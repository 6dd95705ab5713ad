// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Flash-style attention (Dao et al. 2022, arXiv:2205.14135) of one token's
// query heads that share a key/value head: one pass over the cache in blocks of
// positions, with a running maximum and sum, each key and value loaded once for
// up to four heads. The result for a head does not depend on which other heads
// are computed beside it.

#include "runtime/include/umber/umber_abi.h"
#include "targets/CPU/ukernels/CacheRows.h"

using namespace umber;

namespace {

constexpr int kBlock = 32; // positions
constexpr int kWidth = 16; // elements of a head at a time

struct Shape {
  int64_t headDim;
  int64_t begin; // first position seen
  int64_t end;   // one past the last
  float scale;
  float softCap; // 0: none
};

/// tanh within a few ulp, through expNonPositive: tanh |z| = (1 - e) / (1 + e),
/// e = exp(-2 |z|).
template <int N>
UMBER_INLINE Vec<float, N> tanh(Vec<float, N> z) {
  Vec<float, N> e = expNonPositive<N>(-2.0f * __builtin_elementwise_abs(z));
  return __builtin_elementwise_copysign((1.0f - e) / (1.0f + e), z);
}

/// scores[h][j] = <q[h], keys[begin + j]> for a block of positions.
template <int Heads, typename T>
UMBER_INLINE void dots(const float *q, const CacheRows<T> &keys, int64_t begin,
                       int64_t headDim, int64_t positions,
                       float (&scores)[Heads][kBlock]) {
  for (int64_t j = 0; j < positions; ++j) {
    const T *key = keys.row(begin + j);
    Vec<float, kWidth> acc[Heads];
    float rest[Heads];
#pragma clang loop unroll(full)
    for (int h = 0; h < Heads; ++h) {
      acc[h] = Vec<float, kWidth>(0.0f);
      rest[h] = 0.0f;
    }
    int64_t d = 0;
    for (; d + kWidth <= headDim; d += kWidth) {
      Vec<float, kWidth> k = loadElements<kWidth>(key, d);
#pragma clang loop unroll(full)
      for (int h = 0; h < Heads; ++h) {
        acc[h] = fma(load<kWidth>(q + h * headDim + d), k, acc[h]);
      }
    }
    for (; d < headDim; ++d) {
      for (int h = 0; h < Heads; ++h) {
        rest[h] = fma(q[h * headDim + d], loadElement(key, d), rest[h]);
      }
    }
#pragma clang loop unroll(full)
    for (int h = 0; h < Heads; ++h) {
      scores[h][j] = sum<kWidth>(acc[h]) + rest[h];
    }
  }
}

/// Multiplies by the scales of the rows, where they have any: a key's scale
/// belongs to its scores, a value's to its weights.
template <int Heads, typename T>
UMBER_INLINE void multiplyByScales(const CacheRows<T> &rows, int64_t begin,
                                   int64_t positions,
                                   float (&block)[Heads][kBlock]) {
  if constexpr (kHasScales<T>) {
    for (int64_t j = 0; j < positions; ++j) {
      float scale = float(rows.scales[begin + j]);
#pragma clang loop unroll(full)
      for (int h = 0; h < Heads; ++h) {
        block[h][j] *= scale;
      }
    }
  }
}

/// Turns a head's scores of a block into weights relative to the new maximum,
/// updates its running maximum and sum, and returns what earlier results must
/// be multiplied by.
UMBER_INLINE float softmaxBlock(float (&scores)[kBlock], int64_t positions,
                                const Shape &shape, float &maximum,
                                float &total) {
  using V = Vec<float, kWidth>;
  constexpr float kNone = -__builtin_inff();
  for (int64_t j = positions; j < kBlock; ++j) {
    scores[j] = kNone;
  }
  V block[kBlock / kWidth];
  V blockMax = V(maximum);
#pragma clang loop unroll(full)
  for (int i = 0; i < kBlock / kWidth; ++i) {
    V s = load<kWidth>(scores + i * kWidth) * shape.scale;
    if (shape.softCap > 0.0f) {
      s = s == V(kNone) ? s : shape.softCap * tanh<kWidth>(s / shape.softCap);
    }
    block[i] = s;
    blockMax = __builtin_elementwise_max(blockMax, s);
  }
  float newMaximum = blockMax[0];
  for (int i = 1; i < kWidth; ++i) {
    newMaximum = blockMax[i] > newMaximum ? blockMax[i] : newMaximum;
  }
  V weights = V(0.0f);
#pragma clang loop unroll(full)
  for (int i = 0; i < kBlock / kWidth; ++i) {
    V w = expNonPositive<kWidth>(block[i] - newMaximum);
    store<kWidth>(scores + i * kWidth, w);
    weights += w;
  }
  float factor = expNonPositive<kWidth>(V(maximum - newMaximum))[0];
  total = total * factor + sum<kWidth>(weights);
  maximum = newMaximum;
  return factor;
}

/// out[h] = out[h] * factor[h] + sum_j weights[h][j] * values[begin + j].
template <int Heads, typename T>
UMBER_INLINE void accumulate(float *out, const CacheRows<T> &values,
                             int64_t begin, int64_t headDim, int64_t positions,
                             const float (&factor)[Heads],
                             const float (&weights)[Heads][kBlock]) {
  int64_t d = 0;
  for (; d + kWidth <= headDim; d += kWidth) {
    Vec<float, kWidth> acc[Heads];
#pragma clang loop unroll(full)
    for (int h = 0; h < Heads; ++h) {
      acc[h] = load<kWidth>(out + h * headDim + d) * factor[h];
    }
    for (int64_t j = 0; j < positions; ++j) {
      Vec<float, kWidth> v = loadElements<kWidth>(values.row(begin + j), d);
#pragma clang loop unroll(full)
      for (int h = 0; h < Heads; ++h) {
        acc[h] = fma(Vec<float, kWidth>(weights[h][j]), v, acc[h]);
      }
    }
#pragma clang loop unroll(full)
    for (int h = 0; h < Heads; ++h) {
      store<kWidth>(out + h * headDim + d, acc[h]);
    }
  }
  for (; d < headDim; ++d) {
    for (int h = 0; h < Heads; ++h) {
      float acc = out[h * headDim + d] * factor[h];
      for (int64_t j = 0; j < positions; ++j) {
        acc = fma(weights[h][j], loadElement(values.row(begin + j), d), acc);
      }
      out[h * headDim + d] = acc;
    }
  }
}

template <int Heads, typename T>
UMBER_INLINE void attendHeads(const float *q, const CacheRows<T> &keys,
                              const CacheRows<T> &values, float *out,
                              const Shape &shape) {
  float maximum[Heads], total[Heads], factor[Heads];
  for (int h = 0; h < Heads; ++h) {
    maximum[h] = -3.0e38f;
    total[h] = 0.0f;
  }
  for (int64_t i = 0; i < Heads * shape.headDim; ++i) {
    out[i] = 0.0f;
  }
  for (int64_t p = shape.begin; p < shape.end; p += kBlock) {
    int64_t positions = shape.end - p < kBlock ? shape.end - p : kBlock;
    float scores[Heads][kBlock];
    dots<Heads>(q, keys, p, shape.headDim, positions, scores);
    multiplyByScales(keys, p, positions, scores);
    for (int h = 0; h < Heads; ++h) {
      factor[h] =
          softmaxBlock(scores[h], positions, shape, maximum[h], total[h]);
    }
    multiplyByScales(values, p, positions, scores);
    accumulate<Heads>(out, values, p, shape.headDim, positions, factor, scores);
  }
  for (int h = 0; h < Heads; ++h) {
    float inverse = 1.0f / total[h];
    for (int64_t d = 0; d < shape.headDim; ++d) {
      out[h * shape.headDim + d] *= inverse;
    }
  }
}

template <typename T>
UMBER_INLINE void attend(const float *q, const CacheRows<T> &keys,
                         const CacheRows<T> &values, float *out, int64_t heads,
                         const Shape &shape) {
  int64_t h = 0;
  for (; h + 4 <= heads; h += 4) {
    attendHeads<4>(q + h * shape.headDim, keys, values, out + h * shape.headDim,
                   shape);
  }
  q += h * shape.headDim;
  out += h * shape.headDim;
  switch (heads - h) {
  case 3:
    return attendHeads<3>(q, keys, values, out, shape);
  case 2:
    return attendHeads<2>(q, keys, values, out, shape);
  case 1:
    return attendHeads<1>(q, keys, values, out, shape);
  }
}

/// Rows of queries or results, of all heads.
template <typename T>
struct Rows {
  T *first;
  int64_t stride;

  T *at(int64_t row, int64_t column) const {
    return first + row * stride + column;
  }
};

/// The worker's share of attention for all rows and heads of the step.
template <typename T>
UMBER_INLINE void attendStep(const umber_kernel_args &step, Rows<const float> q,
                             Rows<float> y, const T *const *keys,
                             const T *const *values, int64_t heads,
                             int64_t kvHeads, int64_t window, Shape shape) {
  // Units are (head, row), all rows of a head before the next head, so that the
  // longer contexts of later rows are spread over the workers.
  int64_t rows = step.tokens, group = heads / kvHeads, dim = shape.headDim;
  int64_t begin = rows * heads * step.worker / step.workers;
  int64_t end = rows * heads * (step.worker + 1) / step.workers;
  for (int64_t row = 0; row < rows; ++row) {
    auto firstHead = [&](int64_t unit) {
      return unit <= row ? 0 : (unit - row + rows - 1) / rows;
    };
    int64_t sequence = step.sequences[row];
    int64_t capacity = step.capacities[sequence];
    shape.end = step.positions[row] + 1;
    shape.begin =
        window > 0 && shape.end > window ? shape.end - window : int64_t(0);
    for (int64_t h = firstHead(begin), last = firstHead(end), next; h < last;
         h = next) {
      int64_t kvHead = h / group;
      next = (kvHead + 1) * group < last ? (kvHead + 1) * group : last;
      attend<T>(q.at(row, h * dim),
                {keys[sequence], kvHead, kvHeads, capacity, dim},
                {values[sequence], kvHead, kvHeads, capacity, dim},
                y.at(row, h * dim), next - h, shape);
    }
  }
}

} // namespace

/// y = attention of q to the keys and values of each row's sequence up to its
/// position, or to the last `window` of those, if that is not 0. q and y are
/// rows of heads x headDim, at the offsets and strides given.
#define UMBER_ATTENTION(NAME, T)                                               \
  UMBER_UKERNEL void NAME(const umber_kernel_args *step, const float *q,       \
                          int64_t qOffset, int64_t qStride, float *y,          \
                          int64_t yOffset, int64_t yStride,                    \
                          const T *const *keys, const T *const *values,        \
                          int64_t heads, int64_t kvHeads, int64_t headDim,     \
                          int64_t window, float scale, float softCap) {        \
    attendStep<T>(*step, {q + qOffset, qStride}, {y + yOffset, yStride}, keys, \
                  values, heads, kvHeads, window,                              \
                  {headDim, 0, 0, scale, softCap});                            \
  }

UMBER_ATTENTION(umber_uk_attention_f32, float)
UMBER_ATTENTION(umber_uk_attention_f16, half)
UMBER_ATTENTION(umber_uk_attention_i8, int8_t)
UMBER_ATTENTION(umber_uk_attention_i4, NibblePair)
