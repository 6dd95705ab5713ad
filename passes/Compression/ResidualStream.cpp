// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/Compression/ResidualStream.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber {

namespace {

class StreamFinder {
public:
  StreamFinder(const ParameterUsers &users,
               llvm::function_ref<bool(ParamOp)> isUnit)
      : users(users), isUnit(isUnit) {}

  /// Null, with a remark, if the basis cannot be changed.
  std::optional<ResidualStream> find(EmbedOp embed);

private:
  bool addProducer(Value value);
  bool addConsumer(OpOperand &use);
  void addNorm(RmsNormOp norm);
  bool refuse(Operation *op) {
    op->emitRemark("residual stream not rotated: expected only embeddings, "
                   "products, additions, slices and norms of it");
    return false;
  }

  const ParameterUsers &users;
  llvm::function_ref<bool(ParamOp)> isUnit;
  llvm::SetVector<Value> values;
  ResidualStream stream;
};

bool StreamFinder::addProducer(Value value) {
  Operation *op = value.getDefiningOp();
  if (auto embed = dyn_cast_if_present<EmbedOp>(op)) {
    stream.embeddings.push_back(embed);
    return true;
  }
  if (auto add = dyn_cast_if_present<arith::AddFOp>(op)) {
    values.insert(add.getLhs());
    values.insert(add.getRhs());
    return true;
  }
  if (auto slice = dyn_cast_if_present<tensor::ExtractSliceOp>(op)) {
    values.insert(slice.getSource());
    return slice.getSourceType().getDimSize(1) == stream.width || refuse(slice);
  }
  auto linear = dyn_cast_if_present<LinearOp>(op);
  if (linear && users.get(linear.getWeight()).size() == 1) {
    stream.writers.push_back(linear);
    return true;
  }
  return refuse(op ? op : *value.user_begin());
}

/// Norms do not depend on the basis if they have no gain.
void StreamFinder::addNorm(RmsNormOp norm) {
  SmallVector<LinearOp> products;
  auto weight =
      SymbolTable::lookupNearestSymbolFrom<ParamOp>(norm, norm.getWeightAttr());
  bool absorbed =
      isUnit(weight) && norm.getHeads() == 1 && norm.getOffset().isZero();
  for (Operation *user : norm->getUsers()) {
    auto linear = dyn_cast<LinearOp>(user);
    absorbed = absorbed && linear && users.get(linear.getWeight()).size() == 1;
    products.push_back(linear);
  }
  if (absorbed) {
    stream.readers.append(products);
  } else {
    stream.unabsorbedNorms.push_back(norm);
  }
}

bool StreamFinder::addConsumer(OpOperand &use) {
  Operation *op = use.getOwner();
  if (isa<arith::AddFOp>(op)) {
    values.insert(op->getResult(0));
    return true;
  }
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    values.insert(slice.getResult());
    return slice.getType().getDimSize(1) == stream.width || refuse(op);
  }
  if (auto norm = dyn_cast<RmsNormOp>(op)) {
    addNorm(norm);
    return true;
  }
  // How many rows there are does not depend on the basis.
  return isa<tensor::DimOp>(op) || refuse(op);
}

std::optional<ResidualStream> StreamFinder::find(EmbedOp embed) {
  stream.width = embed.getType().getDimSize(1);
  values.insert(embed.getResult());
  // `values` grows while it is walked.
  for (size_t i = 0; i < values.size(); ++i) {
    Value value = values[i];
    if (!addProducer(value)) {
      return std::nullopt;
    }
    for (OpOperand &use : value.getUses()) {
      if (!addConsumer(use)) {
        return std::nullopt;
      }
    }
  }
  return stream;
}

} // namespace

std::vector<ResidualStream>
findResidualStreams(ModuleOp module, const ParameterUsers &users,
                    llvm::function_ref<bool(ParamOp)> isUnit) {
  std::vector<ResidualStream> streams;
  llvm::SmallPtrSet<Operation *, 4> seen;
  module.walk([&](EmbedOp embed) {
    if (seen.contains(embed)) {
      return;
    }
    if (auto stream = StreamFinder(users, isUnit).find(embed)) {
      seen.insert_range(stream->embeddings);
      streams.push_back(std::move(*stream));
    }
  });
  return streams;
}

} // namespace umber
