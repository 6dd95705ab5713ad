// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include "dialects/Umber/Training/Executor.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::training {

LogicalResult Executor::backward(const Segment &segment, const Batch &batch,
                                 const Activations &values,
                                 Activations &gradients,
                                 ReverseObserver &observer) {
  for (Operation *op : llvm::reverse(segment.ops)) {
    auto found = gradients.find(op->getResult(0));
    if (found == gradients.end()) {
      continue; // nothing depends on it
    }
    std::vector<float> dOut = std::move(found->second);
    gradients.erase(found);
    if (failed(reverse(op, batch, values, dOut, gradients, observer))) {
      return failure();
    }
  }
  return success();
}

LogicalResult Executor::correctBackward(LoraOp op, int64_t rows,
                                        ArrayRef<float> dOut,
                                        MutableArrayRef<float> dX) {
  LowRankAttr correction = op.getRecovery();
  auto a = getWeights(op, correction.getA().getValue());
  auto b = getWeights(op, correction.getB().getValue());
  if (failed(a) || failed(b)) {
    return failure();
  }
  int64_t inputs = dX.size() / rows, outputs = dOut.size() / rows;
  int64_t rank = int64_t(a->size()) / inputs;
  std::vector<float> inner(rows * rank);
  multiplyInParallel({dOut.data(), outputs}, {b->data(), outputs, true},
                     inner.data(), rank, rows, rank, outputs);
  multiplyInParallel({inner.data(), rank}, {a->data(), inputs}, dX.data(),
                     inputs, rows, inputs, rank, 1, 1);
  return success();
}

LogicalResult Executor::reverse(Operation *operation, const Batch &batch,
                                const Activations &values, ArrayRef<float> dOut,
                                Activations &gradients,
                                ReverseObserver &observer) {
  auto get = [&](Value value) -> const std::vector<float> & {
    return values.find(value)->second;
  };
  // All of them first: an insertion moves what the map holds.
  for (Value operand : getRowOperands(operation)) {
    std::vector<float> &gradient = gradients[operand];
    if (gradient.empty()) {
      gradient.assign(get(operand).size(), 0.0f);
    }
  }
  auto gradient = [&](Value value) -> std::vector<float> & {
    return gradients.find(value)->second;
  };
  int64_t rows = batch.getRows();
  return llvm::TypeSwitch<Operation *, LogicalResult>(operation)
      .Case([&](EmbedOp) { return success(); })
      .Case([&](LinearOp op) -> LogicalResult {
        auto weight = getWeights(op, op.getWeight());
        if (failed(weight)) {
          return failure();
        }
        int64_t inputs = get(op.getX()).size() / rows;
        int64_t outputs = dOut.size() / rows;
        observer.product(op, get(op.getX()), dOut);
        multiplyInParallel({dOut.data(), outputs}, {weight->data(), inputs},
                           gradient(op.getX()).data(), inputs, rows, inputs,
                           outputs, 1, 1);
        return success();
      })
      .Case([&](RmsNormOp op) -> LogicalResult {
        auto gain = getGain(op);
        if (failed(gain)) {
          return failure();
        }
        std::vector<float> dGain(gain->size());
        normalizeBackward({*gain, op.getEps().convertToFloat()}, get(op.getX()),
                          dOut, gradient(op.getX()), dGain);
        observer.gain(op, dGain);
        return success();
      })
      .Case([&](RotaryOp op) -> LogicalResult {
        auto table = getRotary(op, batch);
        if (failed(table)) {
          return failure();
        }
        std::vector<float> back = dOut.vec();
        rotate(*table, back, /*inverse=*/true);
        addTo(back, gradient(op.getX()));
        return success();
      })
      .Case([&](AttentionOp op) {
        KVUpdateOp update = findUpdate(op);
        const std::vector<float> &k = get(update.getK());
        KVView view{k.data(), get(update.getV()).data(),
                    int64_t(k.size()) / batch.sequences};
        attendBackward(getAttentionShape(op, batch), get(op.getQ()).data(),
                       view, dOut.data(), gradient(op.getQ()).data(),
                       gradient(update.getK()).data(),
                       gradient(update.getV()).data());
        return success();
      })
      .Case([&](GatedActivationOp op) {
        gateBackward(getGateFunction(op), get(op.getGate()), get(op.getUp()),
                     dOut, gradient(op.getGate()), gradient(op.getUp()));
        return success();
      })
      .Case([&](LoraOp op) -> LogicalResult {
        addTo(dOut, gradient(op.getY()));
        return op.getRecovery()
                   ? correctBackward(op, rows, dOut, gradient(op.getX()))
                   : success();
      })
      // Sums pass gradients on, and so, as is usual, do roundings.
      .Default([&](Operation *op) {
        for (Value operand : getRowOperands(op)) {
          addTo(dOut, gradient(operand));
        }
        return success();
      });
}

} // namespace umber::training
