// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Training/Graph.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::training {

/// Activations: a row per token.
static bool areRows(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getRank() == 2 && isa<FloatType>(type.getElementType());
}

KVUpdateOp findUpdate(AttentionOp attention) {
  auto update = attention.getCache().getDefiningOp<KVUpdateOp>();
  while (update && update.getLayer() != attention.getLayer()) {
    update = update.getCache().getDefiningOp<KVUpdateOp>();
  }
  return update;
}

SmallVector<Value> getRowOperands(Operation *op) {
  if (auto attention = dyn_cast<AttentionOp>(op)) {
    KVUpdateOp update = findUpdate(attention);
    return {attention.getQ(), update.getK(), update.getV()};
  }
  if (auto lora = dyn_cast<LoraOp>(op)) {
    // No adapter is active, but the model's own corrections are.
    return lora.getRecovery() ? SmallVector<Value>{lora.getY(), lora.getX()}
                              : SmallVector<Value>{lora.getY()};
  }
  return llvm::filter_to_vector(op->getOperands(), areRows);
}

/// Whether the op computes rows; fails at one that it is not known how to run.
static FailureOr<bool> computesRows(Operation *op) {
  if (auto attention = dyn_cast<AttentionOp>(op)) {
    if (!findUpdate(attention)) {
      return op->emitOpError("expected its layer's keys and values to be made "
                             "in the same function");
    }
    return true;
  }
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    if (areRows(slice.getResult()) &&
        slice.getType().getDimSize(1) != slice.getSourceType().getDimSize(1)) {
      return op->emitOpError("expected a slice of whole rows");
    }
    return areRows(slice.getResult());
  }
  if (isa<EmbedOp, LinearOp, LoraOp, RmsNormOp, RotaryOp, GatedActivationOp,
          QuantizeOp, DequantizeOp, arith::AddFOp>(op)) {
    return true;
  }
  if (llvm::any_of(op->getResults(), areRows)) {
    return op->emitOpError("cannot be run over many sequences or in reverse");
  }
  return false;
}

FailureOr<std::vector<Segment>> getSegments(func::FuncOp function) {
  if (!function.getBody().hasOneBlock()) {
    return function.emitOpError("expected one block");
  }
  auto exit = cast<func::ReturnOp>(function.getBody().front().getTerminator());
  Value logits;
  for (Value result : exit.getOperands()) {
    logits = areRows(result) ? result : logits;
  }
  if (!logits || !logits.getDefiningOp()) {
    return function.emitOpError("expected logits among its results");
  }
  SmallVector<Operation *> ops;
  for (Operation &op : function.getBody().front()) {
    auto isStep = computesRows(&op);
    if (failed(isStep)) {
      return failure();
    }
    if (*isStep) {
      ops.push_back(&op);
    }
  }
  llvm::DenseMap<Value, size_t> lastUse;
  for (auto [i, op] : llvm::enumerate(ops)) {
    for (Value operand : getRowOperands(op)) {
      lastUse[operand] = i;
    }
  }
  lastUse[logits] = ops.size();

  std::vector<Segment> segments(1);
  llvm::SetVector<Value> live;
  bool hasAttention = false;
  for (auto [i, op] : llvm::enumerate(ops)) {
    segments.back().ops.push_back(op);
    hasAttention |= isa<AttentionOp>(op);
    live.insert(op->getResult(0));
    live.remove_if([&, i = i](Value value) {
      auto use = lastUse.find(value);
      return use == lastUse.end() || use->second <= i;
    });
    // A second attention, or the end, may come before the next place to cut:
    // then this one was the best.
    if (live.size() == 1 && hasAttention && i + 1 < ops.size() &&
        isa<arith::AddFOp>(op)) {
      segments.back().output = live.front();
      segments.push_back({{}, live.front(), {}});
      hasAttention = false;
    }
  }
  segments.back().output = logits;
  return segments;
}

FailureOr<std::vector<Segment>> getSegments(ModuleOp module) {
  func::FuncOp step;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (function.walk([](EmbedOp) { return WalkResult::interrupt(); })
            .wasInterrupted()) {
      if (step) {
        return function.emitOpError("expected one function that embeds tokens, "
                                    "found another one, ")
               << step.getSymNameAttr();
      }
      step = function;
    }
  }
  if (!step) {
    return module.emitError("expected a function that embeds tokens");
  }
  return getSegments(step);
}

} // namespace umber::training
