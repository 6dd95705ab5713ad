// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Training/Attention.h"
#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include "dialects/Umber/Training/FastExp.h"
#include "llvm/Support/Parallel.h"
#include <algorithm>
#include <cmath>
#include <vector>

namespace umber::training {

namespace {

/// Queries of one head, or of all heads that share keys where each has a single
/// query: rows of one product.
struct QueryBlock {
  int64_t first;    ///< offset of the first query in its sequence's rows
  int64_t rows;     ///< queries
  int64_t stride;   ///< between queries
  int64_t position; ///< of the first
  int64_t keys;     ///< that any of them sees
};

/// Queries of one product: with more, more of the keys are seen by none.
constexpr int64_t kBlockQueries = 128;

/// Which positions query `row` sees: from `begin` to `end` - 1.
struct Visible {
  int64_t begin, end;
};

} // namespace

static Visible getVisible(const AttentionShape &shape, const QueryBlock &block,
                          int64_t row) {
  int64_t last = block.position + (shape.length == 1 ? 0 : row);
  int64_t first =
      shape.window == 0 ? 0 : std::max<int64_t>(0, last - shape.window + 1);
  return {first, last + 1};
}

/// Replaces a row of scores by softmax over the visible ones, 0 elsewhere.
UMBER_PER_PROCESSOR
static void softmaxRow(float *row, int64_t keys, Visible visible) {
#pragma clang fp reassociate(on)
  float largest = row[visible.begin];
  for (int64_t j = visible.begin; j < visible.end; ++j) {
    largest = std::max(largest, row[j]);
  }
  for (int64_t j = visible.begin; j < visible.end; ++j) {
    row[j] = fastExp(row[j] - largest);
  }
  float sum = 0;
  for (int64_t j = visible.begin; j < visible.end; ++j) {
    sum += row[j];
  }
  float inverse = 1 / sum;
  for (int64_t j = visible.begin; j < visible.end; ++j) {
    row[j] *= inverse;
  }
  std::fill(row, row + visible.begin, 0.0f);
  std::fill(row + visible.end, row + keys, 0.0f);
}

/// Fills `weights`, rows x keys, with the attention weights of a block. Keys
/// are `keyStride` floats apart.
static void getWeights(const AttentionShape &shape, const QueryBlock &block,
                       const float *q, const float *keys, int64_t keyStride,
                       std::vector<float> &weights) {
  int64_t count = block.keys;
  weights.resize(block.rows * count);
  multiply({q, block.stride}, {keys, keyStride, true}, weights.data(), count,
           block.rows, count, shape.headDim, shape.scale);
  for (int64_t row = 0; row < block.rows; ++row) {
    float *scores = &weights[row * count];
    if (shape.softCap > 0) {
      for (int64_t j = 0; j < count; ++j) {
        scores[j] = shape.softCap * std::tanh(scores[j] / shape.softCap);
      }
    }
    softmaxRow(scores, count, getVisible(shape, block, row));
  }
}

/// Calls `body(sequence, kvHead, block)`, in parallel over the first two.
template <typename Body>
static void forEachBlock(const AttentionShape &shape, const Body &body) {
  int64_t group = shape.heads / shape.kvHeads;
  llvm::parallelFor(0, shape.sequences * shape.kvHeads, [&](size_t task) {
    int64_t sequence = int64_t(task) / shape.kvHeads;
    int64_t kvHead = int64_t(task) % shape.kvHeads;
    int64_t first = kvHead * group * shape.headDim;
    if (shape.length == 1) {
      body(sequence, kvHead,
           QueryBlock{first, group, shape.headDim, shape.position,
                      shape.getKeys()});
      return;
    }
    for (int64_t h = 0; h < group; ++h) {
      for (int64_t row = 0; row < shape.length; row += kBlockQueries) {
        int64_t rows = std::min(kBlockQueries, shape.length - row);
        int64_t position = shape.position + row;
        body(sequence, kvHead,
             QueryBlock{first + h * shape.headDim + row * shape.getWidth(),
                        rows, shape.getWidth(), position, position + rows});
      }
    }
  });
}

/// One block's output, from keys and values `kvStride` floats apart.
static void attendBlock(const AttentionShape &shape, const QueryBlock &block,
                        const float *q, const float *keys, const float *values,
                        int64_t kvStride, float *out) {
  thread_local std::vector<float> weights;
  getWeights(shape, block, q, keys, kvStride, weights);
  multiply({weights.data(), block.keys}, {values, kvStride}, out, block.stride,
           block.rows, shape.headDim, block.keys);
}

void attend(const AttentionShape &shape, const float *q, const KVView &kv,
            float *out) {
  forEachBlock(shape, [&](int64_t sequence, int64_t kvHead, QueryBlock block) {
    int64_t row = sequence * shape.length * shape.getWidth() + block.first;
    int64_t key = sequence * kv.sequenceStride + kvHead * shape.headDim;
    attendBlock(shape, block, q + row, kv.keys + key, kv.values + key,
                shape.getKVWidth(), out + row);
  });
}

/// Widens one head's vectors, `count` of them.
static void widen(const uint16_t *in, int64_t stride, int64_t count,
                  int64_t headDim, std::vector<float> &out) {
  out.resize(count * headDim);
  for (int64_t j = 0; j < count; ++j) {
    for (int64_t c = 0; c < headDim; ++c) {
      out[j * headDim + c] =
          llvm::bit_cast<float>(uint32_t(in[j * stride + c]) << 16);
    }
  }
}

void attend(const AttentionShape &shape, const float *q, const HalfKVView &kv,
            float *out) {
  forEachBlock(shape, [&](int64_t sequence, int64_t kvHead, QueryBlock block) {
    thread_local std::vector<float> keys, values;
    int64_t row = sequence * shape.length * shape.getWidth() + block.first;
    int64_t key = sequence * kv.sequenceStride + kvHead * shape.headDim;
    widen(kv.keys + key, shape.getKVWidth(), block.keys, shape.headDim, keys);
    widen(kv.values + key, shape.getKVWidth(), block.keys, shape.headDim,
          values);
    attendBlock(shape, block, q + row, keys.data(), values.data(),
                shape.headDim, out + row);
  });
}

/// Replaces `dWeights` by dL/dscores of rows before the scale: through the
/// softmax and the cap. `scores` are the scaled ones, only used with a cap.
UMBER_PER_PROCESSOR
static void softmaxBackward(const float *weights, const float *scores,
                            float softCap, int64_t rows, int64_t keys,
                            float *dWeights) {
#pragma clang fp reassociate(on)
  for (int64_t row = 0; row < rows; ++row) {
    const float *p = weights + row * keys;
    float *d = dWeights + row * keys;
    float mean = 0;
    for (int64_t j = 0; j < keys; ++j) {
      mean += p[j] * d[j];
    }
    for (int64_t j = 0; j < keys; ++j) {
      d[j] = p[j] * (d[j] - mean);
    }
    if (softCap > 0) {
      for (int64_t j = 0; j < keys; ++j) {
        float t = std::tanh(scores[row * keys + j] / softCap);
        d[j] *= 1 - t * t;
      }
    }
  }
}

void attendBackward(const AttentionShape &shape, const float *q,
                    const KVView &kv, const float *dOut, float *dq, float *dk,
                    float *dv) {
  int64_t width = shape.getKVWidth();
  forEachBlock(shape, [&](int64_t sequence, int64_t kvHead, QueryBlock block) {
    thread_local std::vector<float> weights, dWeights, scores;
    int64_t keys = block.keys;
    int64_t row = sequence * shape.length * shape.getWidth() + block.first;
    int64_t key = sequence * kv.sequenceStride + kvHead * shape.headDim;
    getWeights(shape, block, q + row, kv.keys + key, width, weights);
    dWeights.resize(block.rows * keys);
    if (shape.softCap > 0) {
      scores.resize(block.rows * keys);
      multiply({q + row, block.stride}, {kv.keys + key, width, true},
               scores.data(), keys, block.rows, keys, shape.headDim,
               shape.scale);
    }
    MatrixView dRows{dOut + row, block.stride};
    multiply({weights.data(), keys, true}, dRows, dv + key, width, keys,
             shape.headDim, block.rows, 1, 1);
    multiply(dRows, {kv.values + key, width, true}, dWeights.data(), keys,
             block.rows, keys, shape.headDim);
    softmaxBackward(weights.data(), scores.data(), shape.softCap, block.rows,
                    keys, dWeights.data());
    multiply({dWeights.data(), keys}, {kv.keys + key, width}, dq + row,
             block.stride, block.rows, shape.headDim, keys, shape.scale, 1);
    multiply({dWeights.data(), keys, true}, {q + row, block.stride}, dk + key,
             width, keys, shape.headDim, block.rows, shape.scale, 1);
  });
}

} // namespace umber::training
