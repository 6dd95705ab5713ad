// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "targets/GPU/AttentionStage.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::gpu {

static constexpr int64_t kNeighbours = LaunchBuilder::kNeighbours;

/// Below any score, and far enough from the smallest f32 to be subtracted from.
static constexpr double kLeast = -1e38;

/// Elements of values that a thread adds up at most, of all its heads, and that
/// it has of the queries: both are in registers.
static constexpr int64_t kMaxElements = 32;

static int64_t getRowElements(AttentionOp op) {
  KVCacheType type = op.getCache().getType();
  int64_t perWord = 32 / type.getElementType().getIntOrFloatBitWidth();
  return llvm::divideCeil(type.getHeadDim(), perWord) * perWord;
}

/// Elements of a head that one of the neighbours has.
static int64_t getOwnElements(AttentionOp op) {
  int64_t perWord =
      32 / op.getCache().getType().getElementType().getIntOrFloatBitWidth();
  return llvm::divideCeil(getRowElements(op) / perWord, kNeighbours) * perWord;
}

int64_t AttentionStage::getHeads(AttentionOp op) {
  int64_t ratio = op.getHeads() / op.getCache().getType().getKvHeads();
  int64_t heads = ratio;
  while (ratio % heads != 0 ||
         (heads > 1 && heads * getOwnElements(op) > kMaxElements)) {
    --heads;
  }
  return heads;
}

AttentionStage::AttentionStage(LaunchBuilder &launch, AttentionOp op,
                               CacheWords keys, CacheWords values, Value group)
    : l(launch), op(op), keys(keys), values(values), group(group),
      heads(getHeads(op)), headDim(op.getCache().getType().getHeadDim()),
      rowWords(keys.getRowWords()), perWord(keys.getElementsPerWord()),
      elements(getOwnElements(op)) {
  int64_t ratio = op.getHeads() / op.getCache().getType().getKvHeads();
  kvHead = l.div(group, l.index(ratio / heads));
}

//===----------------------------------------------------------------------===//
// Queries
//===----------------------------------------------------------------------===//

void AttentionStage::readQueries(Value q, Value from) {
  Value first = l.add(from, l.mul(group, l.index(heads * headDim)));
  int64_t length = rowWords * perWord;
  // What rows are filled up with is multiplied, too.
  auto read = [&](int64_t head, Value element) {
    Value at =
        l.add(l.index(head * headDim), l.min(element, l.index(headDim - 1)));
    return l.select(l.less(element, l.index(headDim)),
                    l.loadF(q, l.add(first, at)), l.f32(0.0));
  };
  if (l.getApi() == Api::CUDA) {
    queryMemory = l.allocateShared(heads * length);
    for (int64_t head = 0; head < heads; ++head) {
      l.forEach(l.getThread(), l.index(length), l.index(l.getThreads()),
                [&](Value i) {
                  l.storeF(read(head, i), queryMemory,
                           l.add(l.index(head * length), i));
                });
    }
    l.barrier();
    return;
  }
  for (int64_t head = 0; head < heads; ++head) {
    for (int64_t i = 0; i < length; i += kNeighbours) {
      queries.push_back(read(head, l.add(l.getPlace(), l.index(i))));
    }
  }
}

/// CUDA's threads read the same word of workgroup memory at once, which devices
/// that emulate threads do one by one: on Vulkan neighbours tell each other.
Value AttentionStage::getQuery(int64_t head, int64_t element) {
  int64_t length = rowWords * perWord;
  if (queryMemory) {
    return l.loadF(queryMemory, l.index(head * length + element));
  }
  int64_t perHead = llvm::divideCeil(length, kNeighbours);
  return l.fromNeighbour(queries[head * perHead + element / kNeighbours],
                         element % kNeighbours);
}

//===----------------------------------------------------------------------===//
// Positions
//===----------------------------------------------------------------------===//

AttentionStage::Scores AttentionStage::getScores(Value position) {
  Scores scores(heads, l.f32(0.0));
  Value row = keys.getRow(kvHead, position);
  int64_t element = 0;
  for (Value word : l.loadWords(keys.getBuffer(), row, rowWords)) {
    for (Value key : keys.decode(word)) {
      for (int64_t head = 0; head < heads; ++head) {
        scores[head] = l.fma(getQuery(head, element), key, scores[head]);
      }
      ++element;
    }
  }
  Value scale = l.f32(op.getScale().convertToFloat());
  if (keys.hasScales()) {
    scale = l.mulF(scale, keys.getScale(kvHead, position));
  }
  float cap = op.getSoftCap().convertToFloat();
  for (Value &score : scores) {
    score = l.mulF(score, scale);
    if (cap > 0.0f) {
      score = l.mulF(l.tanh(l.divF(score, l.f32(cap))), l.f32(cap));
    }
  }
  return scores;
}

void AttentionStage::addValues(Value position, const Scores &weights,
                               MutableArrayRef<Value> sums) {
  Scores scaled = weights;
  if (values.hasScales()) {
    Value scale = values.getScale(kvHead, position);
    for (Value &weight : scaled) {
      weight = l.mulF(weight, scale);
    }
  }
  Value own = l.toI32(values.getRow(kvHead, position));
  for (int64_t neighbour = 0; neighbour < kNeighbours; ++neighbour) {
    Value row = l.toIndex(l.fromNeighbour(own, neighbour));
    Scores theirs;
    for (Value weight : scaled) {
      theirs.push_back(l.fromNeighbour(weight, neighbour));
    }
    for (int64_t i = 0; i < elements; i += perWord) {
      Value word = l.add(l.getPlace(), l.index(i / perWord * kNeighbours));
      word = l.min(word, l.index(rowWords - 1));
      Value bits = l.load(values.getBuffer(), l.add(row, word));
      for (auto [j, value] : llvm::enumerate(values.decode(bits))) {
        for (int64_t head = 0; head < heads; ++head) {
          Value &sum = sums[head * elements + i + int64_t(j)];
          sum = l.fma(theirs[head], value, sum);
        }
      }
    }
  }
}

SmallVector<PartialAttention> AttentionStage::attend(Value begin, Value end) {
  // Of each head the largest score, the total, and the values.
  int64_t width = elements + 2;
  SmallVector<Value> start(heads * width, l.f32(0.0));
  for (int64_t head = 0; head < heads; ++head) {
    start[head * width] = l.f32(kLeast);
  }
  auto largest = [&](Value a, Value b) { return l.maxF(a, b); };
  SmallVector<Value> states = l.reduce(
      begin, end, l.index(kThreads), start, [&](Value first, ValueRange so) {
        Value position = l.add(first, l.getThread());
        Value isOne = l.less(position, end);
        position = l.min(position, l.sub(end, l.index(1)));
        Scores weights = getScores(position);
        SmallVector<Value> next(so), sums;
        for (int64_t head = 0; head < heads; ++head) {
          Value *state = &next[head * width];
          Value score = l.select(isOne, weights[head], l.f32(kLeast));
          Value most = l.maxF(state[0], l.reduceNeighbours(score, largest));
          Value factor = l.exp(l.subF(state[0], most));
          weights[head] =
              l.select(isOne, l.exp(l.subF(score, most)), l.f32(0.0));
          state[0] = most;
          state[1] = l.fma(state[1], factor, weights[head]);
          for (int64_t i = 0; i < elements; ++i) {
            sums.push_back(l.mulF(state[2 + i], factor));
          }
        }
        addValues(position, weights, sums);
        for (int64_t head = 0; head < heads; ++head) {
          for (int64_t i = 0; i < elements; ++i) {
            next[head * width + 2 + i] = sums[head * elements + i];
          }
        }
        return next;
      });
  return merge(states);
}

//===----------------------------------------------------------------------===//
// Joining
//===----------------------------------------------------------------------===//

SmallVector<PartialAttention> AttentionStage::merge(ValueRange states) {
  constexpr int64_t kGroups = kThreads / kNeighbours;
  static_assert(kGroups <= kNeighbours, "neighbours have one of each group's");
  int64_t width = elements + 2, length = rowWords * perWord;
  Value thread = l.getThread(), place = l.getPlace();
  Value own = l.div(thread, l.index(kNeighbours));
  Value mosts = l.allocateShared(heads * kGroups);
  Value totals = l.allocateShared(heads * kGroups);
  Value sums = l.allocateShared(kGroups * length);
  auto at = [&](int64_t head, Value number) {
    return l.add(l.index(head * kGroups), number);
  };
  /// Combines what the groups have left of a head.
  auto combine = [&](Value memory, int64_t head, LaunchBuilder::Combine by) {
    Value value = l.loadF(memory, at(head, l.index(0)));
    for (int64_t i = 1; i < kGroups; ++i) {
      value = by(value, l.loadF(memory, at(head, l.index(i))));
    }
    return value;
  };
  auto largest = [&](Value a, Value b) { return l.maxF(a, b); };
  auto add = [&](Value a, Value b) { return l.addF(a, b); };
  auto store = [&](Value value, Value memory, int64_t head) {
    l.ifTrue(l.equal(place, l.index(0)),
             [&] { l.storeF(value, memory, at(head, own)); });
  };
  for (int64_t head = 0; head < heads; ++head) {
    store(states[head * width], mosts, head);
  }
  l.barrier();
  SmallVector<PartialAttention> merged(heads);
  for (int64_t head = 0; head < heads; ++head) {
    PartialAttention &made = merged[head];
    made.most = combine(mosts, head, largest);
    ValueRange state = states.slice(head * width, width);
    Value factor = l.exp(l.subF(state[0], made.most));
    store(l.mulF(l.reduceNeighbours(state[1], add), factor), totals, head);
    for (int64_t i = 0; i < elements; i += perWord) {
      Value word = l.add(place, l.index(i / perWord * kNeighbours));
      l.ifTrue(l.less(word, l.index(rowWords)), [&] {
        Value first =
            l.add(l.mul(own, l.index(length)), l.mul(word, l.index(perWord)));
        for (int64_t j = 0; j < perWord; ++j) {
          l.storeF(l.mulF(state[2 + i + j], factor), sums,
                   l.add(first, l.index(j)));
        }
      });
    }
    l.barrier();
    made.total = combine(totals, head, add);
    for (int64_t i = 0; i < headDim; i += kThreads) {
      Value element = l.min(l.add(thread, l.index(i)), l.index(headDim - 1));
      Value value = l.loadF(sums, element);
      for (int64_t other = 1; other < kGroups; ++other) {
        Value there = l.add(element, l.index(other * length));
        value = l.addF(value, l.loadF(sums, there));
      }
      made.values.push_back(value);
    }
    // The next head's sums, or the next part's, stand where these do.
    l.barrier();
  }
  return merged;
}

PartialAttention join(LaunchBuilder &l, const PartialAttention &before,
                      const PartialAttention &next) {
  PartialAttention joined;
  joined.most = l.maxF(before.most, next.most);
  Value first = l.exp(l.subF(before.most, joined.most));
  Value second = l.exp(l.subF(next.most, joined.most));
  auto add = [&](Value a, Value b) {
    return l.fma(a, first, l.mulF(b, second));
  };
  joined.total = add(before.total, next.total);
  for (auto [a, b] : llvm::zip(before.values, next.values)) {
    joined.values.push_back(add(a, b));
  }
  return joined;
}

PartialAttention getEmptyAttention(LaunchBuilder &l, int64_t elements) {
  return {l.f32(kLeast), l.f32(0.0), SmallVector<Value>(elements, l.f32(0.0))};
}

} // namespace umber::gpu
