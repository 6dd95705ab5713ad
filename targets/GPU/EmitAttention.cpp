// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention of a query head and a row, by a workgroup, over one chunk of
// positions after the other with a running softmax (Dao et al. 2022,
// arXiv:2205.14135). For the scores a thread has a position; for the sum of the
// values it has a word of the values' rows, and of the chunk's positions every
// so many.

#include "targets/GPU/CacheWords.h"
#include "targets/GPU/KernelEmitter.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::gpu {

namespace {

constexpr int64_t kAttentionThreads = 128;

class AttentionStage {
public:
  AttentionStage(LaunchBuilder &launch, AttentionOp op, CacheWords keys,
                 CacheWords values, Value kvHead)
      : l(launch), op(op), keys(keys), values(values), kvHead(kvHead),
        headDim(op.getCache().getType().getHeadDim()),
        rowWords(keys.getRowWords()), perWord(keys.getElementsPerWord()),
        threads(launch.getThreads()),
        wordsPerThread(llvm::divideCeil(rowWords, threads)),
        positionGroups(std::max<int64_t>(threads / rowWords, 1)) {}

  /// The result over positions `first` to `last`, written to `out` from `to`
  /// on.
  void emit(Value q, Value from, Value first, Value last, Value out, Value to);

private:
  Value getScore(Value position, Value isOne);
  SmallVector<Value> addValues(Value chunk, Value count, ValueRange sums);

  LaunchBuilder &l;
  AttentionOp op;
  CacheWords keys, values;
  Value kvHead;
  int64_t headDim, rowWords, perWord, threads, wordsPerThread, positionGroups;
  Value query, weights;
};

/// Of the thread's position, if it has one.
Value AttentionStage::getScore(Value position, Value isOne) {
  Value row = keys.getRow(kvHead, position);
  int64_t width = rowWords % 4 == 0 ? 4 : rowWords % 2 == 0 ? 2 : 1;
  Value dot = l.reduce(
      l.index(0), l.select(isOne, l.index(rowWords), l.index(0)),
      l.index(width), {l.f32(0.0)},
      [&](Value word, ValueRange so) -> SmallVector<Value> {
        Value sum = so[0];
        auto words = l.loadWords(keys.getBuffer(), l.add(row, word), width);
        for (auto [i, bits] : llvm::enumerate(words)) {
          for (auto [j, element] : llvm::enumerate(keys.decode(bits))) {
            Value at = l.add(l.mul(word, l.index(perWord)),
                             l.index(int64_t(i) * perWord + int64_t(j)));
            sum = l.fma(l.loadF(query, at), element, sum);
          }
        }
        return {sum};
      })[0];
  Value score = l.mulF(dot, l.f32(op.getScale().convertToFloat()));
  if (keys.hasScales()) {
    score = l.mulF(score, keys.getScale(kvHead, position));
  }
  if (float cap = op.getSoftCap().convertToFloat(); cap > 0.0f) {
    score = l.mulF(l.tanh(l.divF(score, l.f32(cap))), l.f32(cap));
  }
  return score;
}

/// The thread's words, of its positions among the `count` from `chunk` on.
SmallVector<Value> AttentionStage::addValues(Value chunk, Value count,
                                             ValueRange sums) {
  Value word = l.rem(l.getThread(), l.index(rowWords));
  Value group = l.div(l.getThread(), l.index(rowWords));
  if (positionGroups == 1) {
    word = l.getThread();
    group = l.index(0);
  }
  // Threads that are too many for whole groups have no position.
  Value end =
      l.select(l.less(group, l.index(positionGroups)), count, l.index(0));
  return l.reduce(
      group, end, l.index(positionGroups), sums, [&](Value i, ValueRange so) {
        SmallVector<Value> next(so);
        Value weight = l.loadF(weights, i);
        Value row = values.getRow(kvHead, l.add(chunk, i));
        for (int64_t w = 0; w < wordsPerThread; ++w) {
          Value at =
              l.min(l.add(word, l.index(w * threads)), l.index(rowWords - 1));
          Value bits = l.load(values.getBuffer(), l.add(row, at));
          for (auto [j, element] : llvm::enumerate(values.decode(bits))) {
            Value &sum = next[w * perWord + int64_t(j)];
            sum = l.fma(weight, element, sum);
          }
        }
        return next;
      });
}

void AttentionStage::emit(Value q, Value from, Value first, Value last,
                          Value out, Value to) {
  // What rows are filled up with is multiplied, too.
  query = l.allocateShared(rowWords * perWord);
  weights = l.allocateShared(threads);
  Value thread = l.getThread();
  l.forEach(
      thread, l.index(rowWords * perWord), l.index(threads), [&](Value i) {
        Value element = l.loadF(q, l.add(from, l.min(i, l.index(headDim - 1))));
        element = l.select(l.less(i, l.index(headDim)), element, l.f32(0.0));
        l.storeF(element, query, i);
      });
  l.barrier();
  constexpr double kLeast = -1e38;
  int64_t elements = wordsPerThread * perWord;
  SmallVector<Value> start(elements + 2, l.f32(0.0));
  start[0] = l.f32(kLeast);
  auto largest = [&](Value a, Value b) { return l.maxF(a, b); };
  auto sum = [&](Value a, Value b) { return l.addF(a, b); };
  Value end = l.add(last, l.index(1));
  SmallVector<Value> state = l.reduce(
      first, end, l.index(threads), start, [&](Value chunk, ValueRange so) {
        Value position = l.add(chunk, thread);
        Value isOne = l.less(position, end);
        position = l.min(position, last);
        Value score = l.select(isOne, getScore(position, isOne), l.f32(kLeast));
        Value most = l.maxF(so[0], l.reduceThreads(score, largest));
        Value weight = l.select(isOne, l.exp(l.subF(score, most)), l.f32(0.0));
        Value factor = l.exp(l.subF(so[0], most));
        SmallVector<Value> next = {most};
        next.push_back(l.fma(so[1], factor, l.reduceThreads(weight, sum)));
        if (values.hasScales()) {
          weight = l.mulF(weight, values.getScale(kvHead, position));
        }
        l.storeF(weight, weights, thread);
        l.barrier();
        SmallVector<Value> sums;
        for (Value before : so.drop_front(2)) {
          sums.push_back(l.mulF(before, factor));
        }
        Value count = l.min(l.sub(end, chunk), l.index(threads));
        next.append(addValues(chunk, count, sums));
        l.barrier();
        return next;
      });
  // Groups of positions are added up.
  Value total = state[1];
  int64_t length = std::max(threads, rowWords) * perWord;
  if (wordsPerThread > 1) {
    length = wordsPerThread * threads * perWord;
  }
  Value partial = l.allocateShared(length);
  for (int64_t w = 0; w < wordsPerThread; ++w) {
    Value word = l.add(thread, l.index(w * threads));
    for (int64_t j = 0; j < perWord; ++j) {
      l.storeF(state[2 + w * perWord + j], partial,
               l.add(l.mul(word, l.index(perWord)), l.index(j)));
    }
  }
  l.barrier();
  l.forEach(thread, l.index(headDim), l.index(threads), [&](Value i) {
    Value value = l.loadF(partial, i);
    for (int64_t g = 1; g < positionGroups; ++g) {
      value = l.addF(
          value, l.loadF(partial, l.add(i, l.index(g * rowWords * perWord))));
    }
    l.storeF(l.divF(value, total), out, l.add(to, i));
  });
}

} // namespace

LogicalResult KernelEmitter::emitAttention(AttentionOp op) {
  if (failed(checkPositions(op, op.getPos(), op.getQ()))) {
    return failure();
  }
  begin(op, kAttentionThreads);
  LaunchBuilder &l = *launch;
  KVCacheType type = op.getCache().getType();
  int64_t headDim = type.getHeadDim(), heads = op.getHeads();
  Value head = l.getGroup(mlir::gpu::Dimension::x);
  Value row = l.getGroup(mlir::gpu::Dimension::y);
  Value kvHead = l.div(head, l.index(heads / type.getKvHeads()));
  Value capacity = getStep(StepWord::Capacity);
  AttentionStage stage(
      l, op, CacheWords(l, type, getCache(op.getLayer(), true), capacity),
      CacheWords(l, type, getCache(op.getLayer(), false), capacity), kvHead);
  l.ifTrue(l.less(row, getCount(op.getQ())), [&] {
    Value last = l.add(getStep(StepWord::Position), row), first = l.index(0);
    if (op.getWindow()) {
      first = l.max(l.sub(last, l.index(int64_t(op.getWindow()) - 1)), first);
    }
    Rows q = getRows(op.getQ()), y = getRows(op.getResult());
    Value column = l.mul(head, l.index(headDim));
    auto at = [&](const Rows &rows) {
      return l.add(rows.offset, l.add(l.mul(row, l.index(rows.words)), column));
    };
    stage.emit(q.buffer, at(q), first, last, y.buffer, at(y));
  });
  return finish("attention", {uint32_t(heads), uint32_t(planned.maxTokens), 1},
                {op});
}

} // namespace umber::gpu
