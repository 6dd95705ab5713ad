// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RMS norms: of whole rows, split over the workers by rows, and of each head,
// split by heads.

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "targets/CPU/KernelEmitter.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::cpu {

void KernelEmitter::emitNormOfVector(RmsNormOp op, const Rows &x, const Rows &y,
                                     Value row, Value column, int64_t length) {
  Value weight = parameter(op.getWeight());
  Value from = at(x, row, column), to = at(y, row, column);
  auto vectorType = VectorType::get({kVectorWidth}, b.getF32Type());
  int64_t whole = length / kVectorWidth * kVectorWidth;

  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(vectorType));
  auto squares = scf::ForOp::create(
      b, loc, index(0), index(whole), index(kVectorWidth), ValueRange(zero),
      [&](OpBuilder &, Location, Value i, ValueRange sums) {
        // The loop's body is built where the emitter's builder stands.
        Value v = load(x.memref, add(from, i), kVectorWidth);
        Value sum = math::FmaOp::create(b, loc, v, v, sums[0]);
        scf::YieldOp::create(b, loc, sum);
      });
  Value sum = vector::ReductionOp::create(b, loc, vector::CombiningKind::ADD,
                                          squares.getResult(0),
                                          arith::FastMathFlags::reassoc);
  for (int64_t i = whole; i < length; ++i) {
    Value v = load(x.memref, add(from, index(i)), 1);
    sum = math::FmaOp::create(b, loc, v, v, sum);
  }
  Value mean = arith::DivFOp::create(b, loc, sum, f32(length));
  Value root = math::SqrtOp::create(
      b, loc,
      arith::AddFOp::create(b, loc, mean, f32(op.getEps().convertToFloat())));
  Value scale = arith::DivFOp::create(b, loc, f32(1.0), root);
  float offset = op.getOffset().convertToFloat();
  forVectors(
      index(0), index(length), kVectorWidth, [&](Value i, int64_t width) {
        Value w = load(weight, i, width);
        if (offset != 0.0f) {
          w = arith::AddFOp::create(b, loc, w, broadcast(f32(offset), width));
        }
        Value v = load(x.memref, add(from, i), width);
        v = arith::MulFOp::create(b, loc, v, broadcast(scale, width));
        store(arith::MulFOp::create(b, loc, v, w), y.memref, add(to, i));
      });
}

LogicalResult KernelEmitter::emitNorm(RmsNormOp op) {
  int64_t heads = op.getHeads(), width = op.getType().getDimSize(1);
  if (heads > 1) {
    int64_t length = width / heads;
    Partition partition = joinColumns({op.getX()}, width, length);
    Rows x = rows(op.getX());
    Rows y = defineRows(op.getResult(), x, partition);
    Range columns = getColumns(y);
    forEach(index(0), x.count, [&](Value row) {
      forEach(div(columns.begin, index(length)),
              ceilDiv(columns.end, index(length)), [&](Value head) {
                emitNormOfVector(op, x, y, row, mul(head, index(length)),
                                 length);
              });
    });
    return success();
  }

  needEverything({op.getX()});
  Rows x = rows(op.getX());
  Rows &y = defineRows(op.getResult(), x, {Partition::Kind::Other, 0, 0, 0});
  bool isYielded = isYieldedRow(op.getResult());
  Range range = splitEvenly(x.count);
  if (x.maxCount == 1 && !isYielded) {
    // One row: each worker computing it for itself is faster than waiting for
    // another to do so.
    y.memref = scratch;
    y.offset = allocateScratch(width);
    y.partition = Partition();
    range = {index(0), x.count};
  }
  Rows made = y;
  forEach(range.begin, range.end, [&](Value row) {
    emitNormOfVector(op, x, made, row, index(0), width);
  });
  return success();
}

} // namespace umber::cpu
