// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tensor dialect's ops that make, measure and cut tensors.

#include "dialects/Umber/Interpreter/Evaluation.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"
#include <cmath>

using namespace mlir;

namespace umber::interp {

/// A list of sizes, offsets or strides with its dynamic entries' values.
static SmallVector<int64_t> resolve(ArrayRef<OpFoldResult> entries,
                                    const Frame &frame) {
  SmallVector<int64_t> values;
  for (OpFoldResult entry : entries) {
    if (auto attribute = dyn_cast<Attribute>(entry)) {
      values.push_back(cast<IntegerAttr>(attribute).getInt());
    } else {
      values.push_back(frame.integer(cast<mlir::Value>(entry)));
    }
  }
  return values;
}

static void copyElement(const Tensor &from, int64_t source, Tensor &to,
                        int64_t target) {
  if (from.isFloat()) {
    to.floatsForWriting()[target] = from.getFloats()[source];
  } else {
    to.integersForWriting()[target] = from.getIntegers()[source];
  }
}

/// A rectangle with strides within a tensor.
struct Slice {
  SmallVector<int64_t> offsets, sizes, strides;
};

/// The slice that `op` describes, checked to lie within `whole`.
static FailureOr<Slice> sliceOf(OffsetSizeAndStrideOpInterface op,
                                const Tensor &whole, const Frame &frame) {
  Slice slice{resolve(op.getMixedOffsets(), frame),
              resolve(op.getMixedSizes(), frame),
              resolve(op.getMixedStrides(), frame)};
  for (int64_t d = 0; d < whole.getRank(); ++d) {
    int64_t offset = slice.offsets[d], size = slice.sizes[d];
    int64_t stride = slice.strides[d], last = 0;
    bool isInside = size >= 0 && offset >= 0 && offset <= whole.getDim(d);
    if (isInside && size > 0) {
      isInside = !llvm::MulOverflow(size - 1, stride, last) &&
                 !llvm::AddOverflow(last, offset, last) && last >= 0 &&
                 last < whole.getDim(d) && offset < whole.getDim(d);
    }
    if (!isInside) {
      return op->emitOpError("expected a slice within dimension ")
             << d << " of size " << whole.getDim(d) << ", found offset "
             << offset << ", size " << size << ", stride " << stride;
    }
  }
  return slice;
}

/// Calls `visit` with each element's position in the slice and in the whole,
/// both flat.
static void forEachElement(const Slice &slice, const Tensor &whole,
                           function_ref<void(int64_t, int64_t)> visit) {
  int64_t count = Tensor::countElements(slice.sizes);
  for (int64_t flat = 0; flat < count; ++flat) {
    int64_t rest = flat, position = 0, step = 1;
    for (int64_t d = whole.getRank() - 1; d >= 0; --d) {
      int64_t index = rest % slice.sizes[d];
      rest /= slice.sizes[d];
      position += (slice.offsets[d] + index * slice.strides[d]) * step;
      step *= whole.getDim(d);
    }
    visit(flat, position);
  }
}

static LogicalResult evaluateExtractSlice(tensor::ExtractSliceOp op,
                                          Frame &frame) {
  const Tensor &source = frame.tensor(op.getSource());
  auto slice = sliceOf(op, source, frame);
  if (failed(slice)) {
    return failure();
  }
  auto result = frame.allocate(op, source.getElementType(), slice->sizes);
  if (failed(result)) {
    return failure();
  }
  forEachElement(*slice, source, [&](int64_t inSlice, int64_t inWhole) {
    copyElement(source, inWhole, *result, inSlice);
  });
  SmallVector<int64_t> shape;
  llvm::SmallBitVector dropped = op.getDroppedDims();
  for (auto [d, size] : llvm::enumerate(slice->sizes)) {
    if (!dropped[d]) {
      shape.push_back(size);
    }
  }
  return frame.set(op->getResult(0), result->reshaped(shape));
}

static LogicalResult evaluateInsertSlice(tensor::InsertSliceOp op,
                                         Frame &frame) {
  const Tensor &source = frame.tensor(op.getSource());
  const Tensor &target = frame.tensor(op.getDest());
  auto slice = sliceOf(op, target, frame);
  auto result = frame.allocate(op, target.getElementType(), target.getShape());
  if (failed(slice) || failed(result)) {
    return failure();
  }
  if (Tensor::countElements(slice->sizes) != source.getNumElements()) {
    return op.emitOpError("expected a source of the slice's size, found ")
           << source.describe();
  }
  for (int64_t i = 0; i < target.getNumElements(); ++i) {
    copyElement(target, i, *result, i);
  }
  forEachElement(*slice, target, [&](int64_t inSlice, int64_t inWhole) {
    copyElement(source, inSlice, *result, inWhole);
  });
  return frame.set(op->getResult(0), *result);
}

static LogicalResult evaluateExtract(tensor::ExtractOp op, Frame &frame) {
  const Tensor &source = frame.tensor(op.getTensor());
  int64_t flat = 0;
  for (auto [d, operand] : llvm::enumerate(op.getIndices())) {
    int64_t index = frame.integer(operand);
    if (index < 0 || index >= source.getDim(d)) {
      return op.emitOpError("expected an index within dimension ")
             << d << " of size " << source.getDim(d) << ", found " << index;
    }
    flat = flat * source.getDim(d) + index;
  }
  auto result = frame.allocate(op, source.getElementType(), {});
  if (failed(result)) {
    return failure();
  }
  copyElement(source, flat, *result, 0);
  return frame.set(op->getResult(0), *result);
}

static LogicalResult evaluateDim(tensor::DimOp op, Frame &frame) {
  const Tensor &source = frame.tensor(op.getSource());
  int64_t index = frame.integer(op.getIndex());
  if (index < 0 || index >= source.getRank()) {
    return op.emitOpError("expected a dimension below ")
           << source.getRank() << ", found " << index;
  }
  return frame.set(op->getResult(0),
                   Tensor::ofInteger(op.getType(), source.getDim(index)));
}

/// The result's shape, its dynamic sizes being `sizes` in order.
static SmallVector<int64_t> shapeOf(RankedTensorType type, ValueRange sizes,
                                    const Frame &frame) {
  SmallVector<int64_t> shape(type.getShape());
  size_t next = 0;
  for (int64_t &size : shape) {
    if (ShapedType::isDynamic(size)) {
      size = frame.integer(sizes[next++]);
    }
  }
  return shape;
}

static LogicalResult evaluateEmpty(tensor::EmptyOp op, Frame &frame) {
  auto result =
      frame.allocate(op, op.getType().getElementType(),
                     shapeOf(op.getType(), op.getDynamicSizes(), frame));
  if (failed(result)) {
    return failure();
  }
  if (result->isFloat()) {
    // What nobody has written must not go unseen where it is read.
    llvm::fill(result->floatsForWriting(), NAN);
  }
  return frame.set(op->getResult(0), *result);
}

static LogicalResult evaluateSplat(tensor::SplatOp op, Frame &frame) {
  const Tensor &element = frame.tensor(op.getInput());
  auto result =
      frame.allocate(op, element.getElementType(),
                     shapeOf(op.getType(), op.getDynamicSizes(), frame));
  if (failed(result)) {
    return failure();
  }
  for (int64_t i = 0; i < result->getNumElements(); ++i) {
    copyElement(element, 0, *result, i);
  }
  return frame.set(op->getResult(0), *result);
}

static LogicalResult evaluateFromElements(tensor::FromElementsOp op,
                                          Frame &frame) {
  auto result = frame.allocate(op, op.getType().getElementType(),
                               op.getType().getShape());
  if (failed(result)) {
    return failure();
  }
  for (auto [i, element] : llvm::enumerate(op.getElements())) {
    copyElement(frame.tensor(element), 0, *result, i);
  }
  return frame.set(op->getResult(0), *result);
}

static LogicalResult evaluateCast(tensor::CastOp op, Frame &frame) {
  return frame.set(op->getResult(0), frame.get(op.getSource()));
}

void registerTensorOps(OpRegistry &registry) {
  registry.add<tensor::CastOp>(evaluateCast);
  registry.add<tensor::DimOp>(evaluateDim);
  registry.add<tensor::EmptyOp>(evaluateEmpty);
  registry.add<tensor::ExtractOp>(evaluateExtract);
  registry.add<tensor::ExtractSliceOp>(evaluateExtractSlice);
  registry.add<tensor::FromElementsOp>(evaluateFromElements);
  registry.add<tensor::InsertSliceOp>(evaluateInsertSlice);
  registry.add<tensor::SplatOp>(evaluateSplat);
}

} // namespace umber::interp
