// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stages of rows: a workgroup has a row. A value of the stage is a function of
// the column, which whoever needs an element evaluates: threads share nothing
// but sums, largest values, and what is in buffers before the launch.

#include "targets/GPU/EncodedReader.h"
#include "targets/GPU/RowStage.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::gpu {

RowStage::RowStage(KernelEmitter &emitter, ArrayRef<Operation *> ops)
    : e(emitter), l(*emitter.launch), ops(ops),
      row(l.getGroup(mlir::gpu::Dimension::x)) {}

Value RowStage::getElement(Value rows, Value column) {
  auto it = elements.find(rows);
  if (it != elements.end()) {
    return it->second(column);
  }
  Rows in = e.getRows(rows);
  Value offset = l.add(in.offset, l.mul(row, l.index(in.words)));
  return l.loadF(in.buffer, l.add(offset, column));
}

void RowStage::forOwnColumns(int64_t columns, LaunchBuilder::Body body) {
  l.forEach(l.getThread(), l.index(columns), l.index(l.getThreads()), body);
}

/// A thread later reads only what it has written itself, the same columns.
void RowStage::writeToBuffer(Value value) {
  Rows out = e.getRows(value);
  Value offset = l.mul(row, l.index(out.words));
  forOwnColumns(out.columns, [&](Value column) {
    l.storeF(elements[value](column), out.buffer, l.add(offset, column));
  });
  written[value] = [this, out, offset](Value column) {
    return l.loadF(out.buffer, l.add(offset, column));
  };
}

void RowStage::emitEmbed(EmbedOp op) {
  Rows ids = e.getRows(op.getIds());
  RankedTensorType type = e.getParameterType(op.getTableAttr());
  Value table = e.getParameter(op.getTable());
  Value id = l.toIndex(l.load(ids.buffer, l.add(ids.offset, row)));
  Value panel = l.div(id, l.index(kPanelRows));
  Value lane = l.rem(id, l.index(kPanelRows));
  float scale = op.getScale() ? op.getScale()->convertToFloat() : 1.0f;
  elements[op.getResult()] = [=](Value column) {
    Value value = type.getEncoding()
                      ? EncodedReader(l, LaneEncoding{getPanelEncoding(type)},
                                      table, panel, lane)
                            .getWeight(column)
                      : readPlain(l, type, table, panel, lane, column);
    return scale == 1.0f ? value : l.mulF(value, l.f32(scale));
  };
}

void RowStage::emitNorm(RmsNormOp op) {
  int64_t columns = op.getType().getDimSize(1);
  Value x = op.getX(), weight = e.getParameter(op.getWeight());
  SmallVector<Value> sum = l.reduce(
      l.getThread(), l.index(columns), l.index(l.getThreads()), {l.f32(0.0)},
      [&](Value column, ValueRange sums) -> SmallVector<Value> {
        Value v = getElement(x, column);
        return {l.fma(v, v, sums[0])};
      });
  Value total =
      l.reduceThreads(sum[0], [&](Value a, Value b) { return l.addF(a, b); });
  Value mean = l.divF(total, l.f32(double(columns)));
  Value root = l.sqrt(l.addF(mean, l.f32(op.getEps().convertToFloat())));
  Value scale = l.divF(l.f32(1.0), root);
  float offset = op.getOffset().convertToFloat();
  elements[op.getResult()] = [=](Value column) {
    Value w = l.loadF(weight, column);
    if (offset != 0.0f) {
      w = l.addF(w, l.f32(offset));
    }
    return l.mulF(l.mulF(getElement(x, column), scale), w);
  };
}

void RowStage::emitGatedActivation(GatedActivationOp op) {
  Value gate = op.getGate(), up = op.getUp();
  bool isSilu = op.getFunction() == Activation::SiLU;
  elements[op.getResult()] = [=](Value column) {
    Value z = getElement(gate, column), activated;
    if (isSilu) {
      Value e = l.exp(l.subF(l.f32(0.0), z));
      activated = l.divF(z, l.addF(l.f32(1.0), e));
    } else {
      Value inner = l.fma(l.mulF(z, z), l.f32(0.044715), l.f32(1.0));
      inner = l.mulF(l.mulF(inner, z), l.f32(0.7978845608028654));
      Value t = l.addF(l.tanh(inner), l.f32(1.0));
      activated = l.mulF(l.mulF(z, l.f32(0.5)), t);
    }
    return l.mulF(activated, getElement(up, column));
  };
}

void RowStage::emitElementwise(Operation &op) {
  Operation *source = &op;
  elements[op.getResult(0)] = [=](Value column) {
    SmallVector<Value> operands;
    for (Value operand : source->getOperands()) {
      operands.push_back(getElement(operand, column));
    }
    return l.getBuilder()
        .create(l.getLoc(), source->getName().getIdentifier(), operands,
                {l.getBuilder().getF32Type()}, source->getAttrs())
        ->getResult(0);
  };
}

void RowStage::emitLowRank(LoraOp lora) {
  // So many ranks at a time, each the sum of all threads' products.
  constexpr int64_t kRanks = 4, kColumns = 16;
  int64_t threads = l.getThreads();
  if (!partial) {
    partial = l.allocateShared(kRanks * (threads + kColumns));
  }
  Value x = lora.getX(), site = e.getSite(lora), products = e.getProducts(lora);
  int64_t inputs = lora.getX().getType().getDimSize(1);
  Value rank = l.toIndex(l.load(site, l.index(0)));
  Value padded = l.mul(l.div(l.add(rank, l.index(3)), l.index(4)), l.index(4));
  Value a = l.add(l.index(4), padded);
  int64_t rowWords = llvm::divideCeil(inputs, 2);
  l.forEach(l.index(0), rank, l.index(kRanks), [&](Value first) {
    SmallVector<Value> ranks;
    for (int64_t i = 0; i < kRanks; ++i) {
      ranks.push_back(l.min(l.add(first, l.index(i)), l.sub(rank, l.index(1))));
    }
    SmallVector<Value> sums = l.reduce(
        l.getThread(), l.index(inputs), l.index(l.getThreads()),
        SmallVector<Value>(kRanks, l.f32(0.0)),
        [&](Value column, ValueRange so) {
          Value v =
              written.count(x) ? written[x](column) : getElement(x, column);
          Value word = l.div(column, l.index(2));
          Value shift = l.mul(l.toI32(l.rem(column, l.index(2))), l.i32(16));
          SmallVector<Value> next;
          for (int64_t i = 0; i < kRanks; ++i) {
            Value at =
                l.add(a, l.add(l.mul(ranks[i], l.index(rowWords)), word));
            Value w = l.halfToFloat(l.shiftRight(l.load(site, at), shift));
            next.push_back(l.fma(w, v, so[i]));
          }
          return next;
        });
    // Of each rank, kColumns threads add up as many threads' sums, and one what
    // these have made.
    Value thread = l.getThread();
    for (int64_t i = 0; i < kRanks; ++i) {
      l.storeF(sums[i], partial, l.add(l.index(i * threads), thread));
    }
    auto addUp = [&](Value begin, Value step, int64_t count) {
      return l.reduce(l.index(1), l.index(count), l.index(1),
                      {l.loadF(partial, begin)},
                      [&](Value i, ValueRange so) -> SmallVector<Value> {
                        Value at = l.add(begin, l.mul(i, step));
                        return {l.addF(so[0], l.loadF(partial, at))};
                      })[0];
    };
    l.barrier();
    l.ifTrue(l.less(thread, l.index(kRanks * kColumns)), [&] {
      Value i = l.div(thread, l.index(kColumns));
      Value begin =
          l.add(l.mul(i, l.index(threads)), l.rem(thread, l.index(kColumns)));
      l.storeF(addUp(begin, l.index(kColumns), threads / kColumns), partial,
               l.add(l.index(kRanks * threads), thread));
    });
    l.barrier();
    Value own = l.add(first, thread);
    l.ifTrue(l.both(l.less(thread, l.index(kRanks)), l.less(own, rank)), [&] {
      Value begin =
          l.add(l.index(kRanks * threads), l.mul(thread, l.index(kColumns)));
      Value scale = l.loadF(site, l.add(l.index(4), own));
      l.storeF(l.mulF(addUp(begin, l.index(1), kColumns), scale), products,
               l.add(l.mul(row, rank), own));
    });
  });
}

LogicalResult RowStage::emitOp(Operation &op) {
  if (auto embed = dyn_cast<EmbedOp>(op)) {
    emitEmbed(embed);
  } else if (auto norm = dyn_cast<RmsNormOp>(op)) {
    emitNorm(norm);
  } else if (auto gated = dyn_cast<GatedActivationOp>(op)) {
    emitGatedActivation(gated);
  } else if (auto quantize = dyn_cast<QuantizeOp>(op)) {
    return emitQuantize(quantize);
  } else {
    emitElementwise(op);
  }
  Value result = op.getResult(0);
  if (e.isReadOutside(result, ops)) {
    writeToBuffer(result);
  }
  return success();
}

/// Whether a stage of rows can have an op.
static bool isOfRows(Operation &op) {
  if (auto norm = dyn_cast<RmsNormOp>(op)) {
    return norm.getHeads() == 1;
  }
  if (isa<EmbedOp, GatedActivationOp, QuantizeOp>(op)) {
    return true;
  }
  return op.hasTrait<OpTrait::Elementwise>() && op.getNumResults() == 1 &&
         op.getNumRegions() == 0 &&
         llvm::all_of(op.getOperandTypes(),
                      [](Type type) { return isa<RankedTensorType>(type); });
}

LogicalResult KernelEmitter::emitRows(Block::iterator &at) {
  if (!isOfRows(*at)) {
    return at->emitOpError("is not supported by the gpu target");
  }
  Operation *first = &*at;
  Ops ops;
  // All rows of a stage are the same tokens'.
  for (; isOfRows(*at) && hasRowPerToken(at->getResult(0)) ==
                              hasRowPerToken(first->getResult(0));
       ++at) {
    if (!done.contains(&*at)) {
      ops.push_back(&*at);
    }
  }
  begin(first, kRowThreads);
  RowStage stage(*this, ops);
  LogicalResult emitted = success();
  launch->ifTrue(launch->less(stage.getRow(), getCount(first->getResult(0))),
                 [&] {
                   for (Operation *op : ops) {
                     if (succeeded(emitted)) {
                       emitted = stage.emitOp(*op);
                     }
                   }
                   // Adapters of the products that follow take what is at hand.
                   for (Operation &op : kernel.getBody().front()) {
                     auto lora = dyn_cast<LoraOp>(op);
                     if (!lora || lowRankDone.contains(lora)) {
                       continue;
                     }
                     Operation *made = lora.getX().getDefiningOp();
                     bool isReady = !made || made->isBeforeInBlock(first);
                     if (isReady || stage.hasElements(lora.getX())) {
                       stage.emitLowRank(lora);
                       lowRankDone.insert(lora);
                     }
                   }
                 });
  if (failed(emitted)) {
    return failure();
  }
  return finish("rows", {uint32_t(planned.maxTokens), 1, 1}, {});
}

LogicalResult KernelEmitter::emitLowRank(ArrayRef<LoraOp> loras) {
  LoraOp first = loras.front();
  begin(first, kRowThreads);
  RowStage stage(*this, {});
  launch->ifTrue(launch->less(stage.getRow(), getCount(first.getX())), [&] {
    for (LoraOp lora : loras) {
      stage.emitLowRank(lora);
      lowRankDone.insert(lora);
    }
  });
  return finish("adapters", {uint32_t(planned.maxTokens), 1, 1}, {});
}

} // namespace umber::gpu
