// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stages of heads: a workgroup has a head of a row in its memory, to which ops
// are applied one after the other: norms, rotary embedding, and the store into
// the cache.

#include "targets/GPU/HeadStage.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::gpu {

namespace {

/// How many heads an op sees in its rows.
int64_t getHeads(Operation *op) {
  if (auto norm = dyn_cast<RmsNormOp>(op)) {
    return norm.getHeads();
  }
  if (auto rotary = dyn_cast<RotaryOp>(op)) {
    return rotary.getHeads();
  }
  return cast<KVUpdateOp>(op).getCache().getType().getKvHeads();
}

bool isOfHeads(Operation &op) {
  auto norm = dyn_cast<RmsNormOp>(op);
  return isa<RotaryOp, KVUpdateOp>(op) || (norm && norm.getHeads() > 1);
}

} // namespace

bool HeadStage::add(Operation *op) {
  // A chain goes on where it ended, or begins with rows of an earlier stage.
  auto extend = [&](Value rows, std::optional<bool> keys) {
    HeadChain *chain = nullptr;
    for (HeadChain &other : chains) {
      bool isInside = other.source != rows && other.end != rows &&
                      llvm::any_of(other.ops, [&](Operation *inside) {
                        return llvm::is_contained(inside->getResults(), rows);
                      });
      if (isInside) {
        return false;
      }
      bool goesOn = other.end == rows && !other.ops.empty() &&
                    other.heads == getHeads(op) && !other.update;
      chain = goesOn ? &other : chain;
      if (other.end == rows && !other.ops.empty() && !goesOn) {
        return false;
      }
    }
    if (!chain) {
      chains.push_back({rows, rows, getHeads(op)});
      chain = &chains.back();
    }
    if (keys) {
      chain->update = cast<KVUpdateOp>(op);
      chain->keys = *keys;
    } else {
      chain->ops.push_back(op);
      chain->end = op->getResult(0);
    }
    return true;
  };
  std::vector<HeadChain> before = chains;
  bool added = true;
  if (auto update = dyn_cast<KVUpdateOp>(op)) {
    added = extend(update.getK(), true) && extend(update.getV(), false);
  } else {
    added = extend(op->getOperand(0), std::nullopt);
  }
  if (!added) {
    chains = before;
  } else {
    ops.push_back(op);
  }
  return added;
}

int64_t HeadChain::getHeadDim() const {
  return cast<RankedTensorType>(source.getType()).getDimSize(1) / heads;
}

int64_t HeadStage::getThreads() const {
  int64_t longest = 1;
  for (const HeadChain &chain : chains) {
    longest = std::max(longest, chain.getHeadDim());
  }
  return std::clamp<int64_t>(llvm::bit_ceil(uint64_t(longest)), 32, 128);
}

void HeadStage::forOwn(int64_t count, LaunchBuilder::Body body) {
  l->forEach(l->getThread(), l->index(count), l->index(l->getThreads()), body);
}

void HeadStage::emitNorm(const HeadChain &chain, RmsNormOp op) {
  int64_t length = chain.getHeadDim();
  SmallVector<Value> sum = l->reduce(
      l->getThread(), l->index(length), l->index(l->getThreads()),
      {l->f32(0.0)}, [&](Value i, ValueRange so) -> SmallVector<Value> {
        Value v = l->loadF(vector, i);
        return {l->fma(v, v, so[0])};
      });
  Value total =
      l->reduceThreads(sum[0], [&](Value a, Value b) { return l->addF(a, b); });
  Value mean = l->divF(total, l->f32(double(length)));
  Value root = l->sqrt(l->addF(mean, l->f32(op.getEps().convertToFloat())));
  Value scale = l->divF(l->f32(1.0), root);
  float offset = op.getOffset().convertToFloat();
  Value weight = e.getParameter(op.getWeight());
  forOwn(length, [&](Value i) {
    Value w = l->loadF(weight, i);
    if (offset != 0.0f) {
      w = l->addF(w, l->f32(offset));
    }
    Value v = l->mulF(l->loadF(vector, i), scale);
    l->storeF(l->mulF(v, w), vector, i);
  });
  l->barrier();
}

void HeadStage::emitStore(const HeadChain &chain, Value head) {
  KVUpdateOp op = chain.update;
  KVCacheType type = op.getCache().getType();
  CacheWords cache(*l, type, e.getCache(op.getLayer(), chain.keys),
                   e.getStep(StepWord::Capacity));
  int64_t length = chain.getHeadDim();
  Value position = l->add(e.getStep(StepWord::Position), row), scale;
  if (cache.hasScales()) {
    SmallVector<Value> largest = l->reduce(
        l->getThread(), l->index(length), l->index(l->getThreads()),
        {l->f32(0.0)}, [&](Value i, ValueRange so) -> SmallVector<Value> {
          return {l->maxF(so[0], l->absF(l->loadF(vector, i)))};
        });
    scale = cache.makeScale(l->reduceThreads(
        largest[0], [&](Value a, Value b) { return l->maxF(a, b); }));
    l->ifTrue(l->equal(l->getThread(), l->index(0)),
              [&] { cache.storeScale(scale, head, position); });
  }
  int64_t perWord = cache.getElementsPerWord();
  forOwn(cache.getRowWords(), [&](Value word) {
    SmallVector<Value> elements;
    for (int64_t i = 0; i < perWord; ++i) {
      Value at = l->add(l->mul(word, l->index(perWord)), l->index(i));
      Value isOne = l->less(at, l->index(length));
      Value element = l->loadF(vector, l->min(at, l->index(length - 1)));
      elements.push_back(l->select(isOne, element, l->f32(0.0)));
    }
    l->store(cache.encode(elements, scale), cache.getBuffer(),
             l->add(cache.getRow(head, position), word));
  });
}

void HeadStage::emitChain(const HeadChain &chain, Value head) {
  int64_t length = chain.getHeadDim();
  Value first = l->mul(head, l->index(length));
  auto copy = [&](Value value, bool isIn) {
    Rows rows = e.getRows(value);
    Value at =
        l->add(rows.offset, l->add(l->mul(row, l->index(rows.words)), first));
    forOwn(length, [&](Value i) {
      if (isIn) {
        l->store(l->load(rows.buffer, l->add(at, i)), vector, i);
      } else {
        l->store(l->load(vector, i), rows.buffer, l->add(at, i));
      }
    });
  };
  copy(chain.source, true);
  l->barrier();
  for (Operation *op : chain.ops) {
    if (auto norm = dyn_cast<RmsNormOp>(op)) {
      emitNorm(chain, norm);
    } else {
      emitRotary(chain, cast<RotaryOp>(op));
    }
    if (e.isReadOutside(op->getResult(0), ops)) {
      copy(op->getResult(0), false);
    }
  }
  if (chain.update) {
    emitStore(chain, head);
  }
}

LogicalResult HeadStage::emit() {
  for (Operation *op : ops) {
    if (auto rotary = dyn_cast<RotaryOp>(op)) {
      if (failed(e.checkPositions(op, rotary.getPos(), rotary.getX()))) {
        return failure();
      }
    } else if (auto update = dyn_cast<KVUpdateOp>(op)) {
      if (failed(e.checkPositions(op, update.getPos(), update.getK())) ||
          failed(e.checkPositions(op, update.getPos(), update.getV()))) {
        return failure();
      }
    }
  }
  e.begin(ops.front(), getThreads());
  l = e.launch.get();
  row = l->getGroup(mlir::gpu::Dimension::y);
  int64_t longest = 0, heads = 0;
  for (const HeadChain &chain : chains) {
    longest = std::max(longest, chain.getHeadDim());
  }
  vector = l->allocateShared(longest);
  Value group = l->getGroup(mlir::gpu::Dimension::x);
  for (const HeadChain &chain : chains) {
    Value isOne = l->both(l->less(row, e.getCount(chain.source)),
                          l->less(group, l->index(heads + chain.heads)));
    if (heads) {
      isOne = l->both(isOne, l->less(l->index(heads - 1), group));
    }
    l->ifTrue(isOne, [&] { emitChain(chain, l->sub(group, l->index(heads))); });
    heads += chain.heads;
  }
  return e.finish("heads", {uint32_t(heads), uint32_t(e.planned.maxTokens), 1},
                  {});
}

LogicalResult KernelEmitter::emitHeads(Block::iterator &at) {
  HeadStage stage(*this);
  while (isOfHeads(*at) && stage.add(&*at)) {
    ++at;
  }
  return stage.emit();
}

} // namespace umber::gpu
