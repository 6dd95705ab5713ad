// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rotary position embedding. Frequencies are constants of the kernel; sines and
// cosines of the rows' positions are made once per kernel, in each worker's
// scratch.

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "targets/CPU/KernelEmitter.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::cpu {

Value KernelEmitter::getRotaryTable(RotaryOp op) {
  SmallVector<double> values = op.getFrequencies();
  int64_t pairs = values.size();
  auto frequencies = DenseElementsAttr::get(
      RankedTensorType::get({pairs}, b.getF64Type()), ArrayRef(values));
  double magnitude = op.getMagnitude();
  for (const RotaryTable &table : rotaryTables) {
    if (table.frequencies == frequencies && table.magnitude == magnitude &&
        table.factors == op.getFactorsAttr()) {
      return table.offset;
    }
  }
  Value offset = allocateScratch(planned.maxTokens * 2 * pairs);
  Value factors = op.getFactorsAttr() ? parameter(*op.getFactors()) : scratch;
  call("umber_uk_rope_tables",
       {args, scratch, offset, getConstant("rotary_frequencies", frequencies),
        factors, index(op.getFactorsAttr() ? 1 : 0), index(pairs),
        arith::ConstantOp::create(b, loc, b.getF64FloatAttr(magnitude))});
  rotaryTables.push_back({frequencies, op.getFactorsAttr(), magnitude, offset});
  return offset;
}

LogicalResult KernelEmitter::emitRotary(RotaryOp op) {
  int64_t headDim = op.getHeadDim(), dims = op.getRotatedDims();
  int64_t pairs = dims / 2;
  bool interleaved = op.getStyle() == RotaryStyle::Interleaved;
  if (failed(checkPositions(op, op.getPos(), op.getX()))) {
    return failure();
  }
  Partition partition =
      joinColumns({op.getX()}, op.getType().getDimSize(1), headDim);
  Rows x = rows(op.getX());
  Rows y = defineRows(op.getResult(), x, partition);
  Value tables = getRotaryTable(op);
  int64_t width =
      std::min<int64_t>(kVectorWidth, llvm::bit_floor(uint64_t(pairs)));
  Range columns = getColumns(y);

  auto rotate = [&](Value row, Value head) {
    Value table = add(tables, mul(row, index(dims)));
    Value start = mul(head, index(headDim));
    Value from = at(x, row, start), to = at(y, row, start);
    forVectors(index(0), index(pairs), width, [&](Value i, int64_t w) {
      Value cosine = load(scratch, add(table, i), w);
      Value sine = load(scratch, add(add(table, index(pairs)), i), w);
      Value at0 = i, at1 = add(i, index(pairs)), u, v;
      if (interleaved) {
        at0 = mul(i, index(2));
        at1 = add(at0, index(1));
      }
      if (interleaved && w > 1) {
        Value both = load(x.memref, add(from, at0), 2 * w);
        auto parts = vector::DeinterleaveOp::create(b, loc, both);
        u = parts.getRes1();
        v = parts.getRes2();
      } else {
        u = load(x.memref, add(from, at0), w);
        v = load(x.memref, add(from, at1), w);
      }
      Value uc = arith::MulFOp::create(b, loc, u, cosine);
      Value us = arith::MulFOp::create(b, loc, u, sine);
      Value vs = arith::MulFOp::create(b, loc, v, sine);
      Value vc = arith::MulFOp::create(b, loc, v, cosine);
      Value a = arith::SubFOp::create(b, loc, uc, vs);
      Value c = arith::AddFOp::create(b, loc, us, vc);
      if (interleaved && w > 1) {
        store(vector::InterleaveOp::create(b, loc, a, c), y.memref,
              add(to, at0));
      } else {
        store(a, y.memref, add(to, at0));
        store(c, y.memref, add(to, at1));
      }
    });
    forEach(index(dims), index(headDim), [&](Value i) {
      store(load(x.memref, add(from, i), 1), y.memref, add(to, i));
    });
  };
  forEach(index(0), x.count, [&](Value row) {
    forEach(div(columns.begin, index(headDim)),
            ceilDiv(columns.end, index(headDim)),
            [&](Value head) { rotate(row, head); });
  });
  return success();
}

} // namespace umber::cpu
