// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/Interpreter/Parameters.h"
#include "dialects/Umber/Interpreter/Tensor.h"
#include <algorithm>

using namespace mlir;
using mlir::umber::ParamOp;

namespace umber::interp {

/// How many elements a block of rows that is not kept has, about: a megabyte.
static constexpr int64_t kBlockElements = 1 << 18;

static int64_t rowLength(RankedTensorType type) {
  return type.getRank() == 0 ? 1 : type.getShape().back();
}

static LogicalResult failWith(Operation *user, ParamOp param,
                              llvm::Error error) {
  return user->emitOpError("cannot read @")
         << param.getSymName() << ": " << llvm::toString(std::move(error));
}

/// What is not encoded must have elements that can be rounded to.
static LogicalResult checkElementType(Operation *user, ParamOp param) {
  RankedTensorType type = param.getTensorType();
  if (!type.getEncoding() && !Tensor::isSupported(type.getElementType())) {
    return user->emitOpError("expected @")
           << param.getSymName()
           << " to have elements of f32, f16 or bf16, found " << type;
  }
  return success();
}

LogicalResult Parameters::checkStored(Operation *user, ParamOp param) {
  RankedTensorType type = param.getTensorType();
  if (!store) {
    return user->emitOpError("needs the elements of @")
           << param.getSymName() << ", and there is no parameter file";
  }
  if (type.getRank() != 1 && type.getRank() != 2) {
    return user->emitOpError("expected @")
           << param.getSymName() << " to have rank 1 or 2, found " << type;
  }
  auto shape = store->getShape(param.getKey());
  if (!shape) {
    return failWith(user, param, shape.takeError());
  }
  if (*shape != type.getShape()) {
    return user->emitOpError("expected @")
           << param.getSymName() << " of shape (" << type.getShape()
           << ") in the parameter file, found (" << *shape << ")";
  }
  return success();
}

LogicalResult Parameters::readStored(Operation *user, ParamOp param,
                                     int64_t first,
                                     MutableArrayRef<float> out) {
  if (llvm::Error error = store->readRows(param.getKey(), first, out)) {
    return failWith(user, param, std::move(error));
  }
  RankedTensorType type = param.getTensorType();
  if (!type.getEncoding() && !type.getElementType().isF32()) {
    for (float &element : out) {
      element = roundTo(element, type.getElementType());
    }
  }
  return success();
}

FailureOr<ArrayRef<float>> Parameters::keep(Operation *user, ParamOp param) {
  RankedTensorType type = param.getTensorType();
  std::vector<float> elements;
  if (failed(checkElementType(user, param))) {
    return failure();
  }
  if (auto value = param.getValue()) {
    std::optional<Tensor> tensor = Tensor::ofAttribute(*value);
    if (!tensor) {
      return user->emitOpError("cannot read @")
             << param.getSymName()
             << ": expected dense elements that can be held";
    }
    elements = tensor->getFloats().vec();
  } else {
    int64_t count = Tensor::countElements(type.getShape());
    if (count < 0) {
      return user->emitOpError("cannot hold @")
             << param.getSymName() << ", a " << type;
    }
    if (failed(checkStored(user, param))) {
      return failure();
    }
    elements.resize(count);
    if (count > 0 && failed(readStored(user, param, 0, elements))) {
      return failure();
    }
  }
  bytesLeft -= std::min<uint64_t>(bytesLeft, elements.size() * sizeof(float));
  return ArrayRef<float>(kept[param] = std::move(elements));
}

FailureOr<ArrayRef<float>> Parameters::read(Operation *user, ParamOp param) {
  auto it = kept.find(param);
  return it == kept.end() ? keep(user, param)
                          : FailureOr<ArrayRef<float>>(it->second);
}

LogicalResult
Parameters::forEachBlock(Operation *user, ParamOp param, int64_t first,
                         int64_t count,
                         function_ref<void(int64_t, ArrayRef<float>)> use) {
  RankedTensorType type = param.getTensorType();
  int64_t length = rowLength(type);
  int64_t elements = Tensor::countElements(type.getShape());
  auto it = kept.find(param);
  bool isWorthKeeping = elements >= 0 && count * length == elements &&
                        elements * sizeof(float) <= bytesLeft;
  if (it != kept.end() || isWorthKeeping || param.getValue()) {
    auto all = read(user, param);
    if (failed(all)) {
      return failure();
    }
    use(first, all->slice(first * length, count * length));
    return success();
  }
  if (failed(checkElementType(user, param)) ||
      failed(checkStored(user, param))) {
    return failure();
  }
  int64_t blockRows =
      std::max<int64_t>(1, kBlockElements / std::max<int64_t>(1, length));
  std::vector<float> block;
  for (int64_t row = first; row < first + count; row += blockRows) {
    block.resize(std::min(blockRows, first + count - row) * length);
    if (!block.empty() && failed(readStored(user, param, row, block))) {
      return failure();
    }
    use(row, block);
  }
  return success();
}

} // namespace umber::interp
