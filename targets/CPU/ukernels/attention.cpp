// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention of a step's rows: who computes what. Where there are rows enough
// for all workers, each takes queries, several rows and heads of which share
// what is read of the cache. Where there are few, as in decoding, and contexts
// are long, each takes chunks of the contexts (flash decoding), and what they
// make is put together after a barrier: in the order in which one worker would
// have done it, so that results are the same to the bit.

#include "runtime/include/umber/umber_abi.h"
#include "targets/CPU/ukernels/AttentionTile.h"

using namespace umber;

namespace {

/// Rows of queries or results, of all heads.
template <typename T>
struct Rows {
  T *first;
  int64_t stride;

  T *at(int64_t row, int64_t column) const {
    return first + row * stride + column;
  }
};

template <typename T>
class Attention {
public:
  const umber_kernel_args &step;
  Rows<const float> q;
  Rows<float> y;
  const T *const *keys, *const *values;
  int64_t heads, kvHeads, window, scratchOffset;
  AttentionShape shape;

  UMBER_MEMBER void run() const {
    if (shouldSplitContexts()) {
      attendParts();
    } else {
      attendQueries();
    }
  }

private:
  /// The heads of a group, of one row, in one chunk.
  struct Part {
    int64_t row, kvHead, chunk, positions;
    bool isFirst, isLast; // of the row and head
  };

  int64_t group() const { return heads / kvHeads; }
  AttentionScratch sizes() const { return {shape.headDim, group()}; }

  Query queryOf(int64_t row, int64_t head) const {
    int64_t end = step.positions[row] + 1;
    return {q.at(row, head * shape.headDim), y.at(row, head * shape.headDim),
            window > 0 && end > window ? end - window : 0, end};
  }
  CacheRows<T> rowsOf(const T *const *caches, int64_t row,
                      int64_t kvHead) const {
    int64_t sequence = step.sequences[row];
    return {caches[sequence], kvHead, kvHeads, step.capacities[sequence],
            shape.headDim};
  }
  float *memoryOf(int64_t worker) const {
    auto *own = static_cast<char *>(step.scratch);
    return reinterpret_cast<float *>(own + (worker - step.worker) *
                                               step.scratch_stride) +
           scratchOffset;
  }

  //===--------------------------------------------------------------------===//
  // By queries
  //===--------------------------------------------------------------------===//

  /// Units are (key/value head, row, head of the group): a worker's share is
  /// whole rows but for its ends, and the longer contexts of later rows are
  /// spread over the workers.
  UMBER_MEMBER void attendQueries() const {
    AttentionTile tile(memoryOf(step.worker), sizes(), shape);
    int64_t rows = step.tokens, all = rows * heads;
    int64_t unit = all * step.worker / step.workers;
    int64_t end = all * (step.worker + 1) / step.workers;
    while (unit < end) {
      int64_t kvHead = unit / (rows * group()),
              firstRow = unit / group() % rows;
      Query queries[kTileQueries];
      int64_t count = 0;
      for (; unit < end && count < kTileQueries; ++unit, ++count) {
        int64_t row = unit / group() % rows;
        if (unit / (rows * group()) != kvHead ||
            step.sequences[row] != step.sequences[firstRow]) {
          break;
        }
        queries[count] = queryOf(row, kvHead * group() + unit % group());
      }
      tile.setQueries(queries, count);
      CacheRows<T> k = rowsOf(keys, firstRow, kvHead);
      CacheRows<T> v = rowsOf(values, firstRow, kvHead);
      for (int64_t chunk = tile.firstChunk(); chunk <= tile.lastChunk();
           ++chunk) {
        tile.attendChunk(chunk, k, v);
        tile.addChunk(chunk);
      }
      for (int64_t i = 0; i < count; ++i) {
        tile.wholeState().write(i, queries[i].y, shape.headDim);
      }
    }
  }

  //===--------------------------------------------------------------------===//
  // By parts of contexts
  //===--------------------------------------------------------------------===//

  /// The same for all workers.
  bool shouldSplitContexts() const {
    if (step.workers == 1 || step.tokens * kvHeads >= 8 * step.workers) {
      return false;
    }
    for (int64_t row = 0; row < step.tokens; ++row) {
      Query query = queryOf(row, 0);
      if ((query.end - 1) / kChunkPositions != query.begin / kChunkPositions) {
        return true;
      }
    }
    return false;
  }

  /// Calls visit(index, part) for parts `first` to `last - 1` of all, and
  /// returns how many there are.
  template <typename Visit>
  UMBER_MEMBER int64_t forParts(int64_t first, int64_t last,
                                Visit visit) const {
    int64_t index = 0;
    for (int64_t row = 0; row < step.tokens; ++row) {
      Query query = queryOf(row, 0);
      int64_t begin = query.begin / kChunkPositions;
      int64_t end = (query.end - 1) / kChunkPositions + 1;
      for (int64_t kvHead = 0; kvHead < kvHeads; ++kvHead) {
        for (int64_t chunk = begin; chunk < end; ++chunk, ++index) {
          if (index < first || index >= last) {
            continue;
          }
          int64_t from = chunk * kChunkPositions, to = from + kChunkPositions;
          from = from < query.begin ? query.begin : from;
          to = to < query.end ? to : query.end;
          visit(index, Part{row, kvHead, chunk, to - from, chunk == begin,
                            chunk + 1 == end});
        }
      }
    }
    return index;
  }

  /// A round's parts, and states of theirs, spread over the workers' scratch.
  struct Round {
    const Attention &attention;
    int64_t number, begin, end;

    AttentionState stateAt(int64_t slot) const {
      int64_t workers = attention.step.workers;
      AttentionScratch sizes = attention.sizes();
      float *memory = attention.memoryOf(slot % workers) +
                      sizes.tileElements() +
                      slot / workers * sizes.stateElements(sizes.group);
      return AttentionState(memory, sizes.group, sizes.rowElements());
    }
    AttentionState stateOf(int64_t part) const {
      return stateAt(2 + part - begin);
    }
    /// Of the row and head that this round goes on with, and of those that the
    /// next will. They are made while others may still read the former.
    AttentionState before() const { return stateAt(number % 2); }
    AttentionState after() const { return stateAt((number + 1) % 2); }
  };

  UMBER_MEMBER void attendParts() const {
    AttentionTile tile(memoryOf(step.worker), sizes(), shape);
    int64_t all = forParts(0, 0, [](int64_t, const Part &) {});
    int64_t most = kScratchPartials * step.workers - 2;
    for (Round round = {*this, 0, 0, 0}; round.begin < all;
         ++round.number, round.begin = round.end) {
      round.end = round.begin + most < all ? round.begin + most : all;
      attendRound(tile, round);
      step.barrier(step.barrier_state);
      foldRound(tile, round);
      if (round.end < all) {
        step.barrier(step.barrier_state);
      }
    }
  }

  /// The parts whose positions begin in the worker's share of the round's.
  UMBER_MEMBER void attendRound(AttentionTile &tile, const Round &round) const {
    int64_t positions = 0, before = 0;
    forParts(round.begin, round.end,
             [&](int64_t, const Part &part) __attribute__((always_inline)) {
               positions += part.positions;
             });
    forParts(
        round.begin, round.end,
        [&](int64_t index, const Part &part) __attribute__((always_inline)) {
          bool isOwn = before * step.workers / positions == step.worker;
          before += part.positions;
          if (isOwn) {
            attendPart(tile, part, round.stateOf(index));
          }
        });
  }

  UMBER_MEMBER void attendPart(AttentionTile &tile, const Part &part,
                               AttentionState to) const {
    for (int64_t head = 0, count; head < group(); head += count) {
      count = group() - head < kTileQueries ? group() - head : kTileQueries;
      Query queries[kTileQueries];
      for (int64_t i = 0; i < count; ++i) {
        queries[i] = queryOf(part.row, part.kvHead * group() + head + i);
      }
      tile.setQueries(queries, count);
      tile.attendChunk(part.chunk, rowsOf(keys, part.row, part.kvHead),
                       rowsOf(values, part.row, part.kvHead));
      for (int64_t i = 0; i < count; ++i) {
        to.copy(head + i, tile.chunkState(), i);
      }
    }
  }

  /// Puts parts together. A row and head is one worker's.
  UMBER_MEMBER void foldRound(AttentionTile &tile, const Round &round) const {
    AttentionState whole = tile.wholeState();
    for (int64_t head = 0; head < group(); ++head) {
      forParts(
          round.begin, round.end,
          [&](int64_t index, const Part &part) __attribute__((always_inline)) {
            int64_t all = part.kvHead * group() + head;
            if ((part.row * heads + all) % step.workers != step.worker) {
              return;
            }
            if (part.isFirst) {
              whole.copy(0, round.stateOf(index), head);
            } else {
              if (index == round.begin) {
                whole.copy(0, round.before(), head);
              }
              whole.merge(0, round.stateOf(index), head);
            }
            if (part.isLast) {
              whole.write(0, queryOf(part.row, all).y, shape.headDim);
            } else if (index + 1 == round.end) {
              round.after().copy(head, whole, 0);
            }
          });
    }
  }
};

} // namespace

/// y = attention of q to the keys and values of each row's sequence up to its
/// position, or to the last `window` of those, if that is not 0. q and y are
/// rows of heads x headDim, at the offsets and strides given. From element
/// `scratch` on, each worker's scratch has room for an AttentionScratch.
#define UMBER_ATTENTION(NAME, T)                                               \
  UMBER_UKERNEL void NAME(                                                     \
      const umber_kernel_args *step, const float *q, int64_t qOffset,          \
      int64_t qStride, float *y, int64_t yOffset, int64_t yStride,             \
      const T *const *keys, const T *const *values, int64_t scratch,           \
      int64_t heads, int64_t kvHeads, int64_t headDim, int64_t window,         \
      float scale, float softCap) {                                            \
    Attention<T>{*step,                                                        \
                 {q + qOffset, qStride},                                       \
                 {y + yOffset, yStride},                                       \
                 keys,                                                         \
                 values,                                                       \
                 heads,                                                        \
                 kvHeads,                                                      \
                 window,                                                       \
                 scratch,                                                      \
                 {headDim, scale, softCap}}                                    \
        .run();                                                                \
  }

UMBER_ATTENTION(umber_uk_attention_f32, float)
UMBER_ATTENTION(umber_uk_attention_f16, half)
UMBER_ATTENTION(umber_uk_attention_i8, int8_t)
UMBER_ATTENTION(umber_uk_attention_i4, NibblePair)
