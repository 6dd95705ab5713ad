// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cache updates and attention. A layer's keys and values are each
// [kv_heads][capacity] rows of head_dim elements; ukernels/CacheRows.h says how
// a row is stored, and where the scales of integers are.

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "targets/CPU/KernelEmitter.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::cpu {

/// How microkernels name the cache's element type.
static StringRef getSuffix(KVCacheType cache) {
  Type type = cache.getElementType();
  if (type.isInteger()) {
    return type.isInteger(8) ? "_i8" : "_i4";
  }
  return type.isF16() ? "_f16" : "_f32";
}

void KernelEmitter::emitFloatStore(const Rows &rows, Value cache,
                                   int64_t headDim, Value head) {
  Value size = mul(capacity, index(rows.columns));
  Type element = cast<MemRefType>(cache.getType()).getElementType();
  Value whole = memref::ReinterpretCastOp::create(
      b, loc, MemRefType::get({ShapedType::kDynamic}, element), cache,
      OpFoldResult(b.getIndexAttr(0)), ArrayRef<OpFoldResult>(size),
      ArrayRef<OpFoldResult>(b.getIndexAttr(1)));
  int64_t width =
      std::min<int64_t>(kVectorWidth, llvm::bit_floor(uint64_t(headDim)));
  forEach(index(0), rows.count, [&](Value row) {
    Value slot = add(mul(head, capacity), add(position, row));
    Value to = mul(slot, index(headDim));
    Value from = at(rows, row, mul(head, index(headDim)));
    forVectors(index(0), index(headDim), width, [&](Value i, int64_t w) {
      store(load(rows.memref, add(from, i), w), whole, add(to, i));
    });
  });
}

void KernelEmitter::emitCacheStore(const Rows &rows, Value cache,
                                   KVCacheType type) {
  int64_t headDim = type.getHeadDim();
  Range columns = getColumns(rows);
  forEach(div(columns.begin, index(headDim)),
          ceilDiv(columns.end, index(headDim)), [&](Value head) {
            if (!type.getElementType().isInteger()) {
              return emitFloatStore(rows, cache, headDim, head);
            }
            call(("umber_uk_cache_store" + getSuffix(type)).str(),
                 {rows.memref, at(rows, index(0), mul(head, index(headDim))),
                  index(rows.columns), rows.count, cache,
                  add(mul(head, capacity), position),
                  mul(index(type.getKvHeads()), capacity), index(headDim)});
          });
}

LogicalResult KernelEmitter::emitKVUpdate(KVUpdateOp op) {
  KVCacheType type = op.getCache().getType();
  if (scalarOf.lookup(op.getPos()) != position) {
    return op.emitOpError("expected the step's own position");
  }
  int64_t width = type.getKvHeads() * type.getHeadDim();
  // Keys and values may be split differently; both stores go by their own
  // split.
  for (bool keys : {true, false}) {
    Value value = keys ? op.getK() : op.getV();
    Partition partition = joinColumns({value}, width, type.getHeadDim());
    Rows stored = rows(value);
    stored.partition = partition;
    emitCacheStore(stored, cache(op.getLayer(), keys), type);
  }
  return success();
}

LogicalResult KernelEmitter::emitAttention(AttentionOp op) {
  for (Operation &other : kernel.getBody().front()) {
    if (auto update = dyn_cast<KVUpdateOp>(other)) {
      if (update.getLayer() == op.getLayer()) {
        barrier();
        break;
      }
    }
  }
  needEverything({op.getQ()});
  if (scalarOf.lookup(op.getPos()) != position) {
    return op.emitOpError("expected the step's own position");
  }
  KVCacheType type = op.getCache().getType();
  int64_t heads = op.getHeads(), headDim = type.getHeadDim();
  int64_t groupSize = heads / type.getKvHeads();
  Rows q = rows(op.getQ());
  Rows y = defineRows(op.getResult(), q, {Partition::Kind::Other, 0, 0, 0});
  Value keys = cache(op.getLayer(), true), values = cache(op.getLayer(), false);
  Value scale = f32(op.getScale().convertToFloat());
  Value softCap = f32(op.getSoftCap().convertToFloat());

  // Units are (head, row), all rows of a head before the next head, so that the
  // longer contexts of later rows are spread over the workers.
  Range units = splitEvenly(mul(q.count, index(heads)));
  forEach(index(0), q.count, [&](Value row) {
    auto firstHead = [&](Value unit) {
      return ceilDiv(max(sub(unit, row), index(0)), q.count);
    };
    Value begin = firstHead(units.begin), end = firstHead(units.end);
    Value last = add(position, row), seen = index(0);
    if (op.getWindow() > 0) {
      seen = max(sub(last, index(int64_t(op.getWindow()) - 1)), index(0));
    }
    forEach(div(begin, index(groupSize)), ceilDiv(end, index(groupSize)),
            [&](Value group) {
              Value h0 = max(begin, mul(group, index(groupSize)));
              Value h1 = min(end, mul(add(group, index(1)), index(groupSize)));
              Value column = mul(h0, index(headDim));
              call(("umber_uk_attention" + getSuffix(type)).str(),
                   {q.memref, at(q, row, column), keys, values,
                    mul(group, capacity),
                    mul(index(type.getKvHeads()), capacity), y.memref,
                    at(y, row, column), sub(h1, h0), index(headDim), seen,
                    add(last, index(1)), scale, softCap});
            });
  });
  return success();
}

} // namespace umber::cpu
