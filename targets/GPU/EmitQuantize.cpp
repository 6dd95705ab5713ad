// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantization of a row: its integers, four to a word, zeros up to a multiple
// of 64, and the groups' scales (targets/Common/QuantizedRows.h). Nothing on a
// GPU reads the sums.

#include "targets/GPU/RowStage.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::gpu {

/// The most columns whose products' sum is sure to fit in 32 bits.
static constexpr int64_t kMaxGroup = int64_t(1) << 17;

static float getRange(QuantizeOp op) {
  auto encoding = cast<QuantizedAttr>(op.getType().getEncoding());
  return float((1 << (encoding.getBits() - 1)) - 1);
}

Value RowStage::getScale(QuantizeOp op, Value largest) {
  // Infinite times zero is NaN, which tells that a group has no scale.
  return l.fma(largest, l.f32(0.0), l.divF(largest, l.f32(getRange(op))));
}

Value RowStage::getByte(QuantizeOp op, Value value, Value scale) {
  float range = getRange(op);
  Value isZero = l.lessF(scale, l.f32(std::numeric_limits<float>::min()));
  Value q = l.roundEven(l.divF(value, l.select(isZero, l.f32(1.0), scale)));
  q = l.select(l.lessF(q, l.f32(-range)), l.f32(-range), q);
  q = l.select(l.lessF(l.f32(range), q), l.f32(range), q);
  return l.bitAnd(l.toInteger(l.select(isZero, l.f32(0.0), q)), l.i32(255));
}

/// The largest of what a group's threads have, so many of them one after
/// another, by way of `memory`, a word for each thread. All threads meet.
Value RowStage::findLargestOfGroup(Value most, Value memory, int64_t count) {
  auto larger = [&](Value a, Value b) { return l.maxF(a, b); };
  Value thread = l.getThread(), each = l.index(1);
  if (count % LaunchBuilder::kNeighbours == 0) {
    // Neighbours are of one group.
    most = l.reduceNeighbours(most, larger);
    if (count == LaunchBuilder::kNeighbours) {
      return most;
    }
    each = l.index(LaunchBuilder::kNeighbours);
  }
  l.storeF(most, memory, thread);
  l.barrier();
  Value first = l.mul(l.div(thread, l.index(count)), l.index(count));
  most = l.reduce(l.index(0), l.index(count), each, {most},
                  [&](Value i, ValueRange so) -> SmallVector<Value> {
                    Value other = l.loadF(memory, l.add(first, i));
                    return {larger(so[0], other)};
                  })[0];
  l.barrier();
  return most;
}

/// Each thread has a word, and the threads of a group find their scale
/// together.
void RowStage::quantizeByThreads(QuantizeOp op, const Rows &y) {
  QuantizedRow form = getQuantizedRow(op.getType());
  Value offset = l.mul(row, l.index(y.words));
  int64_t words = form.columns / 4, perGroup = form.group / 4;
  int64_t threads = l.getThreads();
  Value largest = l.allocateShared(threads), thread = l.getThread();
  Value firstOfGroup =
      l.mul(l.div(thread, l.index(perGroup)), l.index(perGroup));
  l.forEach(l.index(0), l.index(words), l.index(threads), [&](Value first) {
    Value word = l.add(first, thread);
    Value isOne = l.less(word, l.index(words));
    Value column = l.mul(l.min(word, l.index(words - 1)), l.index(4));
    SmallVector<Value> values;
    Value most = l.f32(0.0);
    for (int64_t i = 0; i < 4; ++i) {
      values.push_back(getElement(op.getX(), l.add(column, l.index(i))));
      most = l.maxF(most, l.absF(values.back()));
    }
    most = findLargestOfGroup(most, largest, perGroup);
    Value scale = getScale(op, most), bytes;
    for (int64_t i = 0; i < 4; ++i) {
      Value byte = l.shiftLeft(getByte(op, values[i], scale), l.i32(8 * i));
      bytes = i ? l.bitOr(bytes, byte) : byte;
    }
    l.ifTrue(isOne, [&] {
      l.store(bytes, y.buffer, l.add(offset, word));
      l.ifTrue(l.equal(thread, firstOfGroup), [&] {
        Value group = l.div(word, l.index(perGroup));
        l.storeF(
            scale, y.buffer,
            l.add(offset, l.add(l.index(form.getScalesOffset() / 4), group)));
      });
    });
  });
}

/// Each thread has words, and looks through the groups of their columns itself,
/// unless there is one that all do.
void RowStage::quantizeByWords(QuantizeOp op, const Rows &y) {
  QuantizedRow form = getQuantizedRow(op.getType());
  Value offset = l.mul(row, l.index(y.words));
  auto findLargest = [&](Value begin, Value end, Value step) {
    return l.reduce(begin, end, step, {l.f32(0.0)},
                    [&](Value column, ValueRange so) -> SmallVector<Value> {
                      Value v = getElement(op.getX(), column);
                      return {l.maxF(so[0], l.absF(v))};
                    })[0];
  };
  Value common;
  if (form.getGroups() == 1) {
    Value own = findLargest(l.getThread(), l.index(form.columns),
                            l.index(l.getThreads()));
    common = getScale(op, l.reduceThreads(own, [&](Value a, Value b) {
      return l.maxF(a, b);
    }));
  }
  int64_t words = llvm::divideCeil(form.columns, 4);
  forOwnColumns(words, [&](Value word) {
    Value bytes = l.i32(0);
    for (int64_t i = 0; i < 4; ++i) {
      Value column = l.add(l.mul(word, l.index(4)), l.index(i));
      Value isOne = l.less(column, l.index(form.columns));
      column = l.min(column, l.index(form.columns - 1));
      Value group = l.div(column, l.index(form.group)), scale = common;
      Value begin = l.mul(group, l.index(form.group));
      if (!scale) {
        Value end = l.add(begin, l.index(form.group));
        scale = getScale(op, findLargest(begin, end, l.index(1)));
      }
      Value byte = getByte(op, getElement(op.getX(), column), scale);
      byte = l.select(isOne, byte, l.i32(0));
      bytes = l.bitOr(bytes, l.shiftLeft(byte, l.i32(8 * i)));
      l.ifTrue(l.both(isOne, l.equal(column, begin)), [&] {
        l.storeF(
            scale, y.buffer,
            l.add(offset, l.add(l.index(form.getScalesOffset() / 4), group)));
      });
    }
    l.store(bytes, y.buffer, l.add(offset, word));
  });
}

LogicalResult RowStage::emitQuantize(QuantizeOp op) {
  QuantizedRow form = getQuantizedRow(op.getType());
  if (form.group > kMaxGroup) {
    return op.emitOpError("expected groups of at most ")
           << kMaxGroup << " columns for the gpu target, found " << form.group;
  }
  Rows y = e.getRows(op.getResult());
  bool isByThreads =
      form.group % 4 == 0 && l.getThreads() % (form.group / 4) == 0;
  if (isByThreads) {
    quantizeByThreads(op, y);
  } else {
    quantizeByWords(op, y);
  }
  int64_t words = llvm::divideCeil(form.columns, 4);
  int64_t padding = form.getScalesOffset() / 4 - words;
  if (padding) {
    Value offset = l.mul(row, l.index(y.words));
    l.ifTrue(l.less(l.getThread(), l.index(padding)), [&] {
      l.store(l.i32(0), y.buffer,
              l.add(offset, l.add(l.index(words), l.getThread())));
    });
  }
  return success();
}

} // namespace umber::gpu
