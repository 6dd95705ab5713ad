// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Embedding, element-wise ops, slices of rows and index arithmetic.

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "targets/CPU/KernelEmitter.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::cpu {

LogicalResult KernelEmitter::emitEmbed(EmbedOp op) {
  Rows ids = rows(op.getIds());
  Rows y = defineRows(op.getResult(), ids, {Partition::Kind::Other, 0, 0, 0});
  Value table = parameter(op.getTable());
  RankedTensorType type = getParameterType(op, op.getTableAttr());
  Range range = splitEvenly(ids.count);
  forEach(range.begin, range.end, [&](Value row) {
    Value id = memref::LoadOp::create(b, loc, ids.memref, row);
    id = arith::IndexCastOp::create(b, loc, b.getIndexType(), id);
    if (type.getEncoding()) {
      callEncodedEmbed(op, type, id, at(y, row, index(0)));
      return;
    }
    // A row of the table is one lane of its panel's columns.
    Value panel = div(id, index(kPanelRows));
    Value lane = sub(id, mul(panel, index(kPanelRows)));
    forEach(index(0), index(y.columns), [&](Value column) {
      Value at0 = add(mul(panel, index(y.columns)), column);
      Value value = load(table, add(mul(at0, index(kPanelRows)), lane), 1);
      if (op.getScale()) {
        value = arith::MulFOp::create(b, loc, value,
                                      f32(op.getScale()->convertToFloat()));
      }
      store(value, y.memref, at(y, row, column));
    });
  });
  return success();
}

LogicalResult KernelEmitter::emitElementwise(Operation &op) {
  bool isRows = op.hasTrait<OpTrait::Elementwise>() &&
                op.getNumResults() == 1 && op.getNumRegions() == 0 &&
                llvm::all_of(op.getOperands(), [&](Value operand) {
                  return rowsOf.contains(operand);
                });
  if (!isRows) {
    return op.emitOpError("is not supported by the cpu target");
  }
  Value result = op.getResult(0);
  int64_t width = cast<RankedTensorType>(result.getType()).getDimSize(1);
  SmallVector<Value> operands(op.getOperands());
  Partition partition = joinColumns(operands, width, kVectorWidth);
  Rows y = defineRows(result, rows(operands.front()), partition);
  Range columns = getColumns(y);
  forEach(index(0), y.count, [&](Value row) {
    forVectors(columns.begin, columns.end, kVectorWidth,
               [&](Value i, int64_t w) {
                 SmallVector<Value> loaded;
                 for (Value operand : operands) {
                   const Rows &x = rows(operand);
                   loaded.push_back(load(x.memref, at(x, row, i), w));
                 }
                 Operation *computed =
                     b.create(loc, op.getName().getIdentifier(), loaded,
                              loaded.front().getType(), op.getAttrs());
                 store(computed->getResult(0), y.memref, at(y, row, i));
               });
  });
  return success();
}

LogicalResult KernelEmitter::emitGatedActivation(GatedActivationOp op) {
  SmallVector<Value> operands = {op.getGate(), op.getUp()};
  Partition partition =
      joinColumns(operands, op.getType().getDimSize(1), kVectorWidth);
  Rows gate = rows(op.getGate()), up = rows(op.getUp());
  Rows y = defineRows(op.getResult(), gate, partition);
  auto activate = [&](Value z, int64_t w) -> Value {
    auto constant = [&](double value) { return broadcast(f32(value), w); };
    if (op.getFunction() == Activation::SiLU) {
      Value e = math::ExpOp::create(b, loc, arith::NegFOp::create(b, loc, z));
      Value sum = arith::AddFOp::create(b, loc, constant(1.0), e);
      return arith::DivFOp::create(b, loc, z, sum);
    }
    Value z2 = arith::MulFOp::create(b, loc, z, z);
    Value inner =
        math::FmaOp::create(b, loc, z2, constant(0.044715), constant(1.0));
    inner = arith::MulFOp::create(b, loc, inner, z);
    inner = arith::MulFOp::create(b, loc, inner, constant(0.7978845608028654));
    Value t = math::TanhOp::create(b, loc, inner);
    t = arith::AddFOp::create(b, loc, t, constant(1.0));
    Value halfZ = arith::MulFOp::create(b, loc, z, constant(0.5));
    return arith::MulFOp::create(b, loc, halfZ, t);
  };
  Range columns = getColumns(y);
  forEach(index(0), y.count, [&](Value row) {
    forVectors(
        columns.begin, columns.end, kVectorWidth, [&](Value i, int64_t w) {
          Value z = load(gate.memref, at(gate, row, i), w);
          Value u = load(up.memref, at(up, row, i), w);
          Value product = arith::MulFOp::create(b, loc, activate(z, w), u);
          store(product, y.memref, at(y, row, i));
        });
  });
  return success();
}

LogicalResult KernelEmitter::emitSlice(tensor::ExtractSliceOp op) {
  bool wholeRows = op.getType().getRank() == 2 &&
                   op.getSourceType().getRank() == 2 && op.hasUnitStride() &&
                   op.getStaticOffsets()[1] == 0 &&
                   op.getStaticSizes()[1] == op.getSourceType().getDimSize(1);
  if (!wholeRows || !rowsOf.contains(op.getSource())) {
    return op.emitOpError("expected a slice of whole rows for the cpu target");
  }
  auto evaluate = [&](OpFoldResult value) {
    if (auto constant = getConstantIntValue(value)) {
      return index(*constant);
    }
    return scalarOf.lookup(cast<Value>(value));
  };
  Rows view = rows(op.getSource());
  view.offset = add(
      view.offset, mul(evaluate(op.getMixedOffsets()[0]), index(view.columns)));
  view.count = evaluate(op.getMixedSizes()[0]);
  rowsOf[op.getResult()] = view;
  return success();
}

LogicalResult KernelEmitter::emitScalar(Operation &op) {
  Value result = op.getResult(0);
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    auto which = dim.getConstantIndex();
    if (!which || *which != 0 || !rowsOf.contains(dim.getSource())) {
      return op.emitOpError("expected the number of rows of activations");
    }
    scalarOf[result] = rows(dim.getSource()).count;
    return success();
  }
  IRMapping mapping;
  for (Value operand : op.getOperands()) {
    Value scalar = scalarOf.lookup(operand);
    if (!scalar) {
      return op.emitOpError("is not supported by the cpu target");
    }
    mapping.map(operand, scalar);
  }
  scalarOf[result] = b.clone(op, mapping)->getResult(0);
  return success();
}

} // namespace umber::cpu
