// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cache updates and attention. Where a row of the step has its keys and values
// is the microkernels' knowledge: in the cache of its sequence, which is
// [kv_heads][capacity] rows of head_dim elements each (ukernels/CacheRows.h).

#include "targets/CPU/AttentionScratch.h"
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

void KernelEmitter::emitCacheStore(const Rows &rows, Value caches,
                                   KVCacheType type) {
  Range columns = getColumns(rows);
  Value headDim = index(type.getHeadDim());
  call(("umber_uk_cache_store" + getSuffix(type)).str(),
       {args, rows.memref, rows.offset, index(rows.columns), caches,
        div(columns.begin, headDim), ceilDiv(columns.end, headDim),
        index(type.getKvHeads()), headDim});
}

LogicalResult KernelEmitter::emitKVUpdate(KVUpdateOp op) {
  KVCacheType type = op.getCache().getType();
  int64_t width = type.getKvHeads() * type.getHeadDim();
  // Keys and values may be split differently; both stores go by their own
  // split.
  for (bool keys : {true, false}) {
    Value value = keys ? op.getK() : op.getV();
    if (failed(checkPositions(op, op.getPos(), value))) {
      return failure();
    }
    Partition partition = joinColumns({value}, width, type.getHeadDim());
    Rows stored = rows(value);
    stored.partition = partition;
    emitCacheStore(stored, cache(op.getLayer(), keys), type);
  }
  return success();
}

LogicalResult KernelEmitter::emitAttention(AttentionOp op) {
  if (failed(checkPositions(op, op.getPos(), op.getQ()))) {
    return failure();
  }
  for (Operation &other : kernel.getBody().front()) {
    if (auto update = dyn_cast<KVUpdateOp>(other)) {
      if (update.getLayer() == op.getLayer()) {
        barrier();
        break;
      }
    }
  }
  needEverything({op.getQ()});
  KVCacheType type = op.getCache().getType();
  AttentionScratch sizes = {type.getHeadDim(),
                            int64_t(op.getHeads()) / type.getKvHeads()};
  Rows q = rows(op.getQ());
  Rows y = defineRows(op.getResult(), q, {Partition::Kind::Other, 0, 0, 0});
  call(("umber_uk_attention" + getSuffix(type)).str(),
       {args, q.memref, q.offset, index(q.columns), y.memref, y.offset,
        index(y.columns), cache(op.getLayer(), true),
        cache(op.getLayer(), false), allocateScratch(sizes.elements()),
        index(op.getHeads()), index(type.getKvHeads()),
        index(type.getHeadDim()), index(op.getWindow()),
        f32(op.getScale().convertToFloat()),
        f32(op.getSoftCap().convertToFloat())});
  return success();
}

} // namespace umber::cpu
