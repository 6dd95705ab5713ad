// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// umber.kv_update and umber.attention.

#include "dialects/Umber/Interpreter/Dot.h"
#include "dialects/Umber/Interpreter/Evaluation.h"
#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace mlir::umber;

namespace umber::interp {

static LogicalResult requireCurrent(Operation *op, const KVCache &cache) {
  return cache.isCurrent()
             ? success()
             : op->emitOpError("expected a cache that nothing has consumed");
}

static LogicalResult evaluateKVUpdate(KVUpdateOp op, Frame &frame) {
  const KVCache &cache = *frame.get(op.getCache()).getCache();
  const Tensor &k = frame.tensor(op.getK());
  const Tensor &v = frame.tensor(op.getV());
  auto pos = frame.position(op, op.getPos());
  if (failed(pos) || failed(requireCurrent(op, cache))) {
    return failure();
  }
  if (k.getShape() != v.getShape()) {
    return op.emitOpError("expected keys and values of equal shapes, found ")
           << k.describe() << " and " << v.describe();
  }
  auto updated = cache.update(op.getLayer(), *pos, k.getDim(0), k.getFloats(),
                              v.getFloats());
  if (!updated) {
    return op.emitOpError() << llvm::toString(updated.takeError());
  }
  return frame.set(op->getResult(0), *updated);
}

/// Attention of one query over positions first..last of one key/value head.
static void attend(AttentionOp op, const KVCache &cache, int64_t kvHead,
                   const float *query, int64_t first, int64_t last,
                   std::vector<float> &weights, float *out) {
#pragma clang fp contract(off)
  int64_t headDim = cache.getType().getHeadDim();
  float scale = op.getScale().convertToFloat();
  float cap = op.getSoftCap().convertToFloat();
  weights.clear();
  for (int64_t j = first; j <= last; ++j) {
    const float *key = cache.getKey(op.getLayer(), j, kvHead).data();
    float score = scale * dot(query, key, headDim);
    weights.push_back(cap > 0.0f ? cap * std::tanh(score / cap) : score);
  }
  float largest = *llvm::max_element(weights);
  float sum = 0.0f;
  for (float &weight : weights) {
    weight = std::exp(weight - largest);
    sum += weight;
  }
  std::fill_n(out, headDim, 0.0f);
  for (int64_t j = first; j <= last; ++j) {
    const float *value = cache.getValue(op.getLayer(), j, kvHead).data();
    float weight = weights[j - first];
    for (int64_t c = 0; c < headDim; ++c) {
      out[c] += weight * value[c];
    }
  }
  for (int64_t c = 0; c < headDim; ++c) {
    out[c] /= sum;
  }
}

static LogicalResult evaluateAttention(AttentionOp op, Frame &frame) {
  const KVCache &cache = *frame.get(op.getCache()).getCache();
  const Tensor &q = frame.tensor(op.getQ());
  auto pos = frame.position(op, op.getPos());
  auto result = frame.allocate(op, q.getElementType(), q.getShape());
  if (failed(pos) || failed(result) || failed(requireCurrent(op, cache))) {
    return failure();
  }
  int64_t tokens = q.getDim(0), length = cache.getLength(op.getLayer());
  if (*pos + tokens > length) {
    return op.emitOpError("expected a cache that holds positions up to ")
           << *pos + tokens - 1 << " of layer " << op.getLayer() << ", found "
           << length << " positions";
  }
  int64_t heads = op.getHeads(), window = op.getWindow();
  int64_t headDim = cache.getType().getHeadDim();
  int64_t headsPerKV = heads / int64_t(op.getKvHeads());
  std::vector<float> weights;
  for (int64_t t = 0; t < tokens; ++t) {
    int64_t last = *pos + t;
    int64_t first = window == 0 ? 0 : std::max<int64_t>(0, last - window + 1);
    for (int64_t h = 0; h < heads; ++h) {
      int64_t offset = (t * heads + h) * headDim;
      attend(op, cache, h / headsPerKV, q.getFloats().data() + offset, first,
             last, weights, result->floatsForWriting().data() + offset);
    }
  }
  return frame.set(op->getResult(0), *result);
}

void registerAttentionOps(OpRegistry &registry) {
  registry.add<KVUpdateOp>(evaluateKVUpdate);
  registry.add<AttentionOp>(evaluateAttention);
}

} // namespace umber::interp
