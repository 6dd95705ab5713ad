// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Training/Executor.h"
#include "dialects/Umber/LinearAlgebra/LinearAlgebra.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::training {

static int64_t getColumns(Value value) {
  return cast<RankedTensorType>(value.getType()).getDimSize(1);
}

AttentionShape getAttentionShape(AttentionOp op, const Batch &batch) {
  AttentionShape shape;
  shape.heads = op.getHeads();
  shape.kvHeads = op.getKvHeads();
  shape.headDim = getColumns(op.getQ()) / shape.heads;
  shape.scale = op.getScale().convertToFloat();
  shape.softCap = op.getSoftCap().convertToFloat();
  shape.window = op.getWindow();
  shape.sequences = batch.sequences;
  shape.length = batch.length;
  shape.position = batch.position;
  return shape;
}

GateFunction getGateFunction(GatedActivationOp op) {
  return op.getFunction() == Activation::SiLU ? GateFunction::SiLU
                                              : GateFunction::GeluTanh;
}

/// To bfloat16, half to even. No NaN or infinity gets here.
static uint16_t narrow(float value) {
  uint32_t bits = llvm::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

HalfKVView KVMemory::update(int64_t layer, const Batch &batch,
                            ArrayRef<float> keys, ArrayRef<float> values) {
  Layer &kept = layers[layer];
  int64_t width = keys.size() / batch.getRows(), stride = capacity * width;
  kept.keys.resize(sequences * stride);
  kept.values.resize(sequences * stride);
  int64_t count = batch.length * width;
  for (int64_t s = 0; s < batch.sequences; ++s) {
    int64_t at = s * stride + batch.position * width;
    llvm::transform(keys.slice(s * count, count), &kept.keys[at], narrow);
    llvm::transform(values.slice(s * count, count), &kept.values[at], narrow);
  }
  return {kept.keys.data(), kept.values.data(), stride};
}

FailureOr<ArrayRef<float>> Executor::getWeights(Operation *user,
                                                StringRef name) {
  if (auto it = replaced.find(name); it != replaced.end()) {
    return it->second;
  }
  std::vector<float> &elements = weights[name];
  if (!elements.empty()) {
    return ArrayRef(elements);
  }
  auto param = SymbolTable::lookupNearestSymbolFrom<ParamOp>(
      user, StringAttr::get(user->getContext(), name));
  if (auto constant = param.getValueAttr()) {
    for (APFloat element : constant.getValues<APFloat>()) {
      bool losesInfo;
      element.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven,
                      &losesInfo);
      elements.push_back(element.convertToFloat());
    }
    return ArrayRef(elements);
  }
  elements.resize(param.getTensorType().getNumElements());
  if (llvm::Error error = store.readRows(param.getKey(), 0, elements)) {
    return param.emitOpError(llvm::toString(std::move(error)));
  }
  return ArrayRef(elements);
}

FailureOr<std::vector<float>> Executor::getGain(RmsNormOp op) {
  auto weight = getWeights(op, op.getWeight());
  if (failed(weight)) {
    return failure();
  }
  std::vector<float> gain = weight->vec();
  for (float &element : gain) {
    element += op.getOffset().convertToFloat();
  }
  return gain;
}

FailureOr<RotaryTable> Executor::getRotary(RotaryOp op, const Batch &batch) {
  SmallVector<double> frequencies = op.getFrequencies();
  if (op.getFactorsAttr()) {
    auto factors = getWeights(op, *op.getFactors());
    if (failed(factors)) {
      return failure();
    }
    for (auto [frequency, factor] : llvm::zip(frequencies, *factors)) {
      frequency /= factor;
    }
  }
  return getRotaryTable(frequencies, op.getMagnitude(), batch.position,
                        batch.length, op.getHeads(), op.getHeadDim(),
                        op.getStyle() == RotaryStyle::Half);
}

LogicalResult Executor::correct(LoraOp op, int64_t rows, ArrayRef<float> x,
                                MutableArrayRef<float> out) {
  LowRankAttr correction = op.getRecovery();
  auto a = getWeights(op, correction.getA().getValue());
  auto b = getWeights(op, correction.getB().getValue());
  if (failed(a) || failed(b)) {
    return failure();
  }
  int64_t inputs = getColumns(op.getX()), outputs = getColumns(op.getResult());
  int64_t rank = int64_t(a->size()) / inputs;
  std::vector<float> inner(rows * rank);
  multiplyInParallel({x.data(), inputs}, {a->data(), inputs, true},
                     inner.data(), rank, rows, rank, inputs);
  multiplyInParallel({inner.data(), rank}, {b->data(), outputs}, out.data(),
                     outputs, rows, outputs, rank, 1, 1);
  return success();
}

LogicalResult Executor::forward(const Segment &segment, const Batch &batch,
                                Activations &values, bool keepAll,
                                KVMemory *memory) {
  llvm::DenseMap<Value, int64_t> uses;
  for (Operation *op : segment.ops) {
    for (Value operand : getRowOperands(op)) {
      ++uses[operand];
    }
  }
  for (Operation *op : segment.ops) {
    if (failed(run(op, batch, values, memory))) {
      return failure();
    }
    for (Value operand : getRowOperands(op)) {
      if (--uses[operand] == 0 && !keepAll && operand != segment.output) {
        values.erase(operand);
      }
    }
  }
  return success();
}

LogicalResult Executor::run(Operation *operation, const Batch &batch,
                            Activations &values, KVMemory *memory) {
  int64_t rows = batch.getRows();
  // Made first: an insertion moves what the map holds.
  std::vector<float> out(rows * getColumns(operation->getResult(0)));
  auto get = [&](Value value) -> const std::vector<float> & {
    return values.find(value)->second;
  };
  LogicalResult done =
      llvm::TypeSwitch<Operation *, LogicalResult>(operation)
          .Case([&](EmbedOp op) -> LogicalResult {
            auto table = getWeights(op, op.getTable());
            if (failed(table)) {
              return failure();
            }
            int64_t width = getColumns(op.getResult());
            float scale =
                op.getScale() ? op.getScale()->convertToFloat() : 1.0f;
            for (int64_t row = 0; row < rows; ++row) {
              const float *in = &(*table)[batch.ids[row] * width];
              for (int64_t c = 0; c < width; ++c) {
                out[row * width + c] = in[c] * scale;
              }
            }
            return success();
          })
          .Case([&](LinearOp op) -> LogicalResult {
            auto weight = getWeights(op, op.getWeight());
            auto bias = op.getBiasAttr()
                            ? getWeights(op, *op.getBias())
                            : FailureOr<ArrayRef<float>>(ArrayRef<float>());
            if (failed(weight) || failed(bias)) {
              return failure();
            }
            int64_t inputs = getColumns(op.getX());
            int64_t outputs = getColumns(op.getResult());
            for (int64_t row = 0; !bias->empty() && row < rows; ++row) {
              llvm::copy(*bias, &out[row * outputs]);
            }
            multiplyInParallel({get(op.getX()).data(), inputs},
                               {weight->data(), inputs, true}, out.data(),
                               outputs, rows, outputs, inputs, 1,
                               bias->empty() ? 0 : 1);
            return success();
          })
          .Case([&](RmsNormOp op) -> LogicalResult {
            auto gain = getGain(op);
            if (failed(gain)) {
              return failure();
            }
            normalize({*gain, op.getEps().convertToFloat()}, get(op.getX()),
                      out);
            return success();
          })
          .Case([&](RotaryOp op) -> LogicalResult {
            auto table = getRotary(op, batch);
            if (failed(table)) {
              return failure();
            }
            out = get(op.getX());
            rotate(*table, out, /*inverse=*/false);
            return success();
          })
          .Case([&](AttentionOp op) {
            KVUpdateOp update = findUpdate(op);
            const std::vector<float> &k = get(update.getK());
            const std::vector<float> &v = get(update.getV());
            int64_t width = getColumns(update.getK());
            AttentionShape shape = getAttentionShape(op, batch);
            const float *q = get(op.getQ()).data();
            if (memory) {
              attend(shape, q, memory->update(op.getLayer(), batch, k, v),
                     out.data());
            } else {
              attend(shape, q, KVView{k.data(), v.data(), batch.length * width},
                     out.data());
            }
            return success();
          })
          .Case([&](GatedActivationOp op) {
            gate(getGateFunction(op), get(op.getGate()), get(op.getUp()), out);
            return success();
          })
          .Case([&](arith::AddFOp op) {
            out = get(op.getLhs());
            addTo(get(op.getRhs()), out);
            return success();
          })
          .Case([&](LoraOp op) -> LogicalResult {
            out = get(op.getY());
            return op.getRecovery() ? correct(op, rows, get(op.getX()), out)
                                    : success();
          })
          .Case([&](QuantizeOp op) {
            auto encoding = cast<QuantizedAttr>(op.getType().getEncoding());
            int64_t group = encoding.getGroup() ? encoding.getGroup()
                                                : getColumns(op.getResult());
            roundGroups(encoding.getBits(), group, get(op.getX()), out);
            return success();
          })
          .Default([&](Operation *op) {
            out = get(getRowOperands(op).front());
            return success();
          });
  if (succeeded(done)) {
    values[operation->getResult(0)] = std::move(out);
  }
  return done;
}

} // namespace umber::training
