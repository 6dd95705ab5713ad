// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Launches of attention. A row's positions are cut into parts, which depend on
// how many they are and on the model alone, and are joined from the first to
// the last. Where a step has few rows, each part is a workgroup's, which leaves
// what it made to a launch that joins them; those beyond the row's positions
// return at once. Where there are many rows a workgroup does one part after the
// other. Both come to the same bits.

#include "targets/GPU/AttentionStage.h"
#include "targets/GPU/KernelEmitter.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::gpu {

namespace {

/// Parts have a multiple of so many positions.
constexpr int64_t kPartPositions = 128;
/// The most parts.
constexpr int64_t kMostParts = 32;
/// Workgroups of a warp that keep a large GPU busy; an eighth as many rows and
/// groups of heads do without parts.
constexpr int64_t kManyWarps = 512;

/// How a row's positions are cut.
struct Parts {
  Value first;  ///< the first position
  Value count;  ///< how many there are
  Value length; ///< of each part but the last
};

/// A step's attention.
class Attention {
public:
  Attention(AttentionOp op, int64_t maxTokens)
      : heads(AttentionStage::getHeads(op)), groups(op.getHeads() / heads),
        headDim(op.getCache().getType().getHeadDim()),
        most(std::clamp<int64_t>(llvm::bit_floor(uint64_t(std::max<int64_t>(
                                     kManyWarps / groups, 1))),
                                 1, kMostParts)),
        isSplit(most > 1 && groups * maxTokens < kManyWarps / 8) {}

  const int64_t heads; ///< of a workgroup
  const int64_t groups;
  const int64_t headDim;
  const int64_t most; ///< parts
  const bool isSplit; ///< among workgroups

  /// What a part leaves of a head: the largest score, the total, and values.
  int64_t getRecordWords() const { return 2 + headDim; }
  int64_t getScratchWords(int64_t rows) const {
    return isSplit ? rows * groups * heads * most * getRecordWords() : 0;
  }

  Parts getParts(LaunchBuilder &l, Value last, int64_t window) const {
    Parts parts;
    parts.first = l.index(0);
    if (window) {
      parts.first = l.max(l.sub(last, l.index(window - 1)), parts.first);
    }
    parts.count = l.add(l.sub(last, parts.first), l.index(1));
    int64_t step = kPartPositions * most;
    Value units = l.div(l.add(parts.count, l.index(step - 1)), l.index(step));
    parts.length = l.mul(units, l.index(kPartPositions));
    return parts;
  }

  /// Where part 0 of a head leaves its record; the other parts' follow.
  Value getRecord(LaunchBuilder &l, Value row, Value head) const {
    Value number = l.add(l.mul(row, l.index(groups * heads)), head);
    return l.mul(number, l.index(most * getRecordWords()));
  }
};

/// Runs `body` for the thread's elements of a head's values.
void forOwnElements(LaunchBuilder &l, int64_t headDim,
                    llvm::function_ref<void(int64_t, Value)> body) {
  for (int64_t i = 0; i * l.getThreads() < headDim; ++i) {
    Value element = l.add(l.getThread(), l.index(i * l.getThreads()));
    l.ifTrue(l.less(element, l.index(headDim)), [&] { body(i, element); });
  }
}

SmallVector<Value> flatten(ArrayRef<PartialAttention> partials) {
  SmallVector<Value> values;
  for (const PartialAttention &partial : partials) {
    values.append({partial.most, partial.total});
    values.append(partial.values);
  }
  return values;
}

SmallVector<PartialAttention> unflatten(ValueRange values, int64_t heads) {
  SmallVector<PartialAttention> partials;
  size_t width = values.size() / heads;
  for (int64_t head = 0; head < heads; ++head) {
    ValueRange own = values.slice(head * width, width);
    partials.push_back({own[0], own[1], llvm::to_vector(own.drop_front(2))});
  }
  return partials;
}

} // namespace

LogicalResult KernelEmitter::emitAttention(AttentionOp op) {
  if (failed(checkPositions(op, op.getPos(), op.getQ()))) {
    return failure();
  }
  Attention attention(op, planned.maxTokens);
  KVCacheType type = op.getCache().getType();
  begin(op, AttentionStage::kThreads);
  LaunchBuilder &l = *launch;
  Value group = l.getGroup(mlir::gpu::Dimension::x);
  Value row = l.getGroup(mlir::gpu::Dimension::y);
  Value capacity = getStep(StepWord::Capacity);
  AttentionStage stage(
      l, op, CacheWords(l, type, getCache(op.getLayer(), true), capacity),
      CacheWords(l, type, getCache(op.getLayer(), false), capacity), group);
  Parts parts = attention.getParts(l, l.add(getStep(StepWord::Position), row),
                                   op.getWindow());
  Value end = l.add(parts.first, parts.count);
  auto attend = [&](Value from) {
    Value begin = l.add(parts.first, from);
    return stage.attend(begin, l.min(l.add(begin, parts.length), end));
  };
  Value isOne = l.less(row, getCount(op.getQ())), part, from;
  if (attention.isSplit) {
    part = l.getGroup(mlir::gpu::Dimension::z);
    from = l.mul(part, parts.length);
    isOne = l.both(isOne, l.less(from, parts.count));
  }
  l.ifTrue(isOne, [&] {
    Rows q = getRows(op.getQ());
    stage.readQueries(q.buffer, l.add(q.offset, l.mul(row, l.index(q.words))));
    Value firstHead = l.mul(group, l.index(attention.heads));
    if (attention.isSplit) {
      int64_t number = 0;
      for (const PartialAttention &made : attend(from)) {
        Value head = l.add(firstHead, l.index(number++));
        Value record = attention.getRecord(l, row, head);
        record =
            l.add(record, l.mul(part, l.index(attention.getRecordWords())));
        l.ifTrue(l.equal(l.getThread(), l.index(0)), [&] {
          l.storeF(made.most, getScratch(), record);
          l.storeF(made.total, getScratch(), l.add(record, l.index(1)));
        });
        Value values = l.add(record, l.index(2));
        forOwnElements(l, attention.headDim, [&](int64_t k, Value element) {
          l.storeF(made.values[k], getScratch(), l.add(values, element));
        });
      }
      return;
    }
    int64_t own = llvm::divideCeil(attention.headDim, l.getThreads());
    SmallVector<PartialAttention> start(attention.heads,
                                        getEmptyAttention(l, own));
    SmallVector<Value> joined =
        l.reduce(l.index(0), parts.count, parts.length, flatten(start),
                 [&](Value from, ValueRange so) {
                   SmallVector<PartialAttention> all =
                       unflatten(so, attention.heads);
                   for (auto [before, next] : llvm::zip(all, attend(from))) {
                     before = join(l, before, next);
                   }
                   return flatten(all);
                 });
    Rows y = getRows(op.getResult());
    Value to = l.add(y.offset, l.mul(row, l.index(y.words)));
    int64_t number = 0;
    for (const PartialAttention &made : unflatten(joined, attention.heads)) {
      Value head = l.add(firstHead, l.index(number++));
      Value column = l.add(to, l.mul(head, l.index(attention.headDim)));
      forOwnElements(l, attention.headDim, [&](int64_t k, Value element) {
        l.storeF(l.divF(made.values[k], made.total), y.buffer,
                 l.add(column, element));
      });
    }
  });
  auto rows = uint32_t(planned.maxTokens);
  auto most = uint32_t(attention.isSplit ? attention.most : 1);
  if (failed(finish("attention", {uint32_t(attention.groups), rows, most},
                    {op}))) {
    return failure();
  }
  if (!attention.isSplit) {
    return success();
  }
  launches.back().partPositions = kPartPositions;
  scratchWords =
      std::max(scratchWords, attention.getScratchWords(planned.maxTokens));
  return emitJoin(op);
}

/// Joins the parts of each head of a row.
LogicalResult KernelEmitter::emitJoin(AttentionOp op) {
  Attention attention(op, planned.maxTokens);
  begin(op, std::clamp<int64_t>(llvm::bit_ceil(uint64_t(attention.headDim)), 32,
                                128));
  LaunchBuilder &l = *launch;
  Value head = l.getGroup(mlir::gpu::Dimension::x);
  Value row = l.getGroup(mlir::gpu::Dimension::y);
  l.ifTrue(l.less(row, getCount(op.getQ())), [&] {
    Parts parts = attention.getParts(l, l.add(getStep(StepWord::Position), row),
                                     op.getWindow());
    Value records = attention.getRecord(l, row, head), scratch = getScratch();
    Rows y = getRows(op.getResult());
    Value to = l.add(l.add(y.offset, l.mul(row, l.index(y.words))),
                     l.mul(head, l.index(attention.headDim)));
    Value used = l.div(l.add(parts.count, l.sub(parts.length, l.index(1))),
                       parts.length);
    forOwnElements(l, attention.headDim, [&](int64_t, Value element) {
      PartialAttention start = getEmptyAttention(l, 1);
      SmallVector<Value> joined = l.reduce(
          l.index(0), used, l.index(1), flatten(start),
          [&](Value part, ValueRange so) {
            Value record = l.add(
                records, l.mul(part, l.index(attention.getRecordWords())));
            PartialAttention next = {
                l.loadF(scratch, record),
                l.loadF(scratch, l.add(record, l.index(1))),
                {l.loadF(scratch, l.add(l.add(record, l.index(2)), element))}};
            return flatten(join(l, unflatten(so, 1)[0], next));
          });
      l.storeF(l.divF(joined[2], joined[1]), y.buffer, l.add(to, element));
    });
  });
  return finish("join",
                {uint32_t(op.getHeads()), uint32_t(planned.maxTokens), 1}, {});
}

} // namespace umber::gpu
