// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "passes/Compression/DerivedParameters.h"
#include "passes/Compression/ParameterUsers.h"
#include "passes/Compression/Passes.h"
#include "passes/Compression/ResidualStream.h"
#include "runtime/package/Orthogonal.h"

namespace umber {
#define GEN_PASS_DEF_ROTATEPASS
#include "passes/Compression/Passes.h.inc"
} // namespace umber

using namespace mlir;
using namespace mlir::umber;
using namespace ::umber;

namespace {

/// Multiplies every run of Q's size in `elements` by it: the input side of a
/// matrix, whole rows or each row's heads, or a bias.
void rotateRuns(MutableArrayRef<float> elements, const Orthogonal &q) {
  for (size_t first = 0; first < elements.size(); first += q.getSize()) {
    q.apply(elements.data() + first);
  }
}

/// Multiplies every run of Q's size in each column by it: the output side.
void rotateColumns(MutableArrayRef<float> elements, int64_t columns,
                   const Orthogonal &q) {
  for (size_t first = 0; first < elements.size();
       first += q.getSize() * columns) {
    q.apply(elements.data() + first, columns);
  }
}

/// Remembers that a matrix's inputs, outputs or both (0: not) were rotated.
void noteRotation(ParamOp param, int64_t inputs, int64_t outputs) {
  auto basis = param->getAttrOfType<BasisAttr>(kBasisAttrName);
  MLIRContext *context = param.getContext();
  param->setAttr(
      kBasisAttrName,
      BasisAttr::get(context, basis ? basis.getGain() : FlatSymbolRefAttr(),
                     basis ? basis.getGainOffset() : FloatAttr(),
                     inputs || !basis ? inputs : basis.getInputRotation(),
                     outputs || !basis ? outputs : basis.getOutputRotation()));
}

struct Rotate : ::umber::impl::RotatePassBase<Rotate> {
  using RotatePassBase::RotatePassBase;

  void runOnOperation() override;

private:
  LogicalResult rotateRows(StringRef name, const Orthogonal &q);
  LogicalResult rotateInputs(LinearOp linear, const Orthogonal &q);
  LogicalResult rotateOutputs(LinearOp linear, const Orthogonal &q);
  LogicalResult rotateStream(const ResidualStream &stream);
  LogicalResult rotateValues(AttentionOp attention);
  /// A product with Q of `x`, after the op that makes it.
  FailureOr<Value> multiply(Value x, const Orthogonal &q);

  DerivedParameters *parameters = nullptr;
  std::optional<ParameterUsers> users;
  ParamOp rotation;
};

LogicalResult Rotate::rotateRows(StringRef name, const Orthogonal &q) {
  auto param = SymbolTable(getOperation()).lookup<ParamOp>(name);
  return parameters->derive(
      param, ("rotate inputs by " + Twine(q.getSize())).str(),
      [&](MutableArrayRef<float> elements) { rotateRuns(elements, q); });
}

LogicalResult Rotate::rotateInputs(LinearOp linear, const Orthogonal &q) {
  auto weight = SymbolTable(getOperation()).lookup<ParamOp>(linear.getWeight());
  noteRotation(weight, /*inputs=*/q.getSize(), /*outputs=*/0);
  return rotateRows(linear.getWeight(), q);
}

LogicalResult Rotate::rotateOutputs(LinearOp linear, const Orthogonal &q) {
  SymbolTable symbols(getOperation());
  auto weight = symbols.lookup<ParamOp>(linear.getWeight());
  int64_t columns = weight.getTensorType().getDimSize(1);
  noteRotation(weight, /*inputs=*/0, /*outputs=*/q.getSize());
  LogicalResult done = parameters->derive(
      weight, ("rotate outputs by " + Twine(q.getSize())).str(),
      [&](MutableArrayRef<float> e) { rotateColumns(e, columns, q); });
  if (succeeded(done) && linear.getBiasAttr()) {
    done = rotateRows(*linear.getBias(), q);
  }
  return done;
}

FailureOr<Value> Rotate::multiply(Value x, const Orthogonal &q) {
  if (!rotation) {
    int64_t size = q.getSize();
    std::vector<float> elements(size * size, 0.0f);
    for (int64_t r = 0; r < size; ++r) {
      MutableArrayRef<float> row(elements.data() + r * size, size);
      row[r] = 1.0f;
      q.apply(row.data());
    }
    auto created =
        parameters->create(getOperation(), "rotation", {size, size}, elements);
    if (failed(created)) {
      return failure();
    }
    rotation = *created;
  }
  OpBuilder builder(x.getContext());
  builder.setInsertionPointAfterValue(x);
  return LinearOp::create(builder, x.getLoc(), x.getType(), x,
                          FlatSymbolRefAttr::get(rotation), FlatSymbolRefAttr())
      .getResult();
}

LogicalResult Rotate::rotateStream(const ResidualStream &stream) {
  auto q = Orthogonal::get(stream.width);
  if (!q) {
    getOperation().emitRemark("residual stream not rotated: expected a width "
                              "of 2^k times an odd number up to 65, found ")
        << stream.width;
    return success();
  }
  for (LinearOp linear : stream.writers) {
    if (failed(rotateOutputs(linear, *q))) {
      return failure();
    }
  }
  for (LinearOp linear : stream.readers) {
    if (failed(rotateInputs(linear, *q))) {
      return failure();
    }
  }
  for (EmbedOp embed : stream.embeddings) {
    if (users->get(embed.getTable()).size() == 1) {
      if (failed(rotateRows(embed.getTable(), *q))) {
        return failure();
      }
      continue;
    }
    // Shared with the head, whose input is not in the stream's basis.
    auto rotated = multiply(embed.getResult(), *q);
    if (failed(rotated)) {
      return failure();
    }
    embed.getResult().replaceAllUsesExcept(*rotated, rotated->getDefiningOp());
  }
  for (RmsNormOp norm : stream.unabsorbedNorms) {
    auto rotated = multiply(norm.getX(), *q);
    if (failed(rotated)) {
      return failure();
    }
    norm.getXMutable().assign(*rotated);
  }
  return success();
}

LogicalResult Rotate::rotateValues(AttentionOp attention) {
  auto update = attention.getCache().getDefiningOp<KVUpdateOp>();
  auto values = update ? update.getV().getDefiningOp<LinearOp>() : LinearOp();
  int64_t headDim = attention.getCache().getType().getHeadDim();
  auto q = Orthogonal::get(headDim);
  SmallVector<LinearOp> products;
  bool all = values && q && values->hasOneUse() &&
             users->get(values.getWeight()).size() == 1 &&
             update.getLayer() == attention.getLayer();
  for (Operation *user : attention->getUsers()) {
    auto linear = dyn_cast<LinearOp>(user);
    all = all && linear && users->get(linear.getWeight()).size() == 1;
    products.push_back(linear);
  }
  if (!all) {
    attention.emitRemark("values not rotated: expected a product before the "
                         "cache and products alone after attention");
    return success();
  }
  if (failed(rotateOutputs(values, *q))) {
    return failure();
  }
  for (LinearOp linear : products) {
    if (failed(rotateInputs(linear, *q))) {
      return failure();
    }
  }
  return success();
}

void Rotate::runOnOperation() {
  ModuleOp module = getOperation();
  auto opened = DerivedParameters::open(module, derived);
  if (failed(opened)) {
    return signalPassFailure();
  }
  parameters = &*opened;
  users.emplace(module);
  rotation = nullptr;
  SmallVector<AttentionOp> attentions;
  module.walk([&](AttentionOp op) { attentions.push_back(op); });
  for (AttentionOp attention : attentions) {
    if (failed(rotateValues(attention))) {
      return signalPassFailure();
    }
  }
  bool readable = true;
  auto isUnit = [&](ParamOp weight) {
    auto unit = parameters->isUnit(weight);
    readable &= succeeded(unit);
    return succeeded(unit) && *unit;
  };
  auto streams = findResidualStreams(module, *users, isUnit);
  if (!readable) {
    return signalPassFailure();
  }
  for (const ResidualStream &stream : streams) {
    if (failed(rotateStream(stream))) {
      return signalPassFailure();
    }
  }
}

} // namespace
