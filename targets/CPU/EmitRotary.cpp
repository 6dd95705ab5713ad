// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rotary position embedding. Frequencies are constants of the kernel; sines and
// cosines of a row's position are made once per row, in the worker's scratch.

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "targets/CPU/KernelEmitter.h"
#include <cmath>

using namespace mlir;
using namespace mlir::umber;

namespace umber::cpu {

namespace {

constexpr double kTwoPi = 6.283185307179586476925;

double valueOr(FloatAttr attr, double otherwise) {
  return attr ? attr.getValueAsDouble() : otherwise;
}

/// A frequency stretched as the attribute's description says.
double scaleFrequency(RopeScalingAttr scaling, double frequency, double pair,
                      double base, double dims) {
  double factor = scaling.getFactor().getValueAsDouble();
  double low = valueOr(scaling.getLowFreqFactor(), 0.0);
  double high = valueOr(scaling.getHighFreqFactor(), 0.0);
  double length = double(scaling.getOriginalContext());
  switch (scaling.getKind()) {
  case RopeScalingKind::Linear:
    return frequency / factor;
  case RopeScalingKind::Llama3: {
    double turns = length * frequency / kTwoPi;
    double blend = (turns - low) / (high - low);
    blend = std::min(std::max(blend, 0.0), 1.0);
    return blend * frequency + (1.0 - blend) * frequency / factor;
  }
  case RopeScalingKind::Yarn: {
    // The pair whose frequency turns `turns` times over the original context.
    auto pairOf = [&](double turns) {
      return dims * std::log(length / (turns * kTwoPi)) / (2.0 * std::log(base));
    };
    double begin = std::max(std::floor(pairOf(high)), 0.0);
    double end = std::min(std::ceil(pairOf(low)), dims / 2.0 - 1.0);
    double ramp = (pair - begin) / std::max(end - begin, 1e-3);
    ramp = std::min(std::max(ramp, 0.0), 1.0);
    return frequency / factor * ramp + frequency * (1.0 - ramp);
  }
  }
  llvm_unreachable("a scaling of no kind");
}

} // namespace

std::pair<Value, double> KernelEmitter::getRotaryTable(RotaryOp op) {
  int64_t dims = op.getRotatedDims(), pairs = dims / 2;
  double base = op.getBase().convertToFloat();
  SmallVector<double> frequencies;
  double magnitude = 1.0;
  RopeScalingAttr scaling = op.getScalingAttr();
  for (int64_t i = 0; i < pairs; ++i) {
    double frequency = std::pow(base, -2.0 * double(i) / double(dims));
    if (scaling) {
      frequency = scaleFrequency(scaling, frequency, i, base, dims);
    }
    frequencies.push_back(frequency);
  }
  if (scaling) {
    magnitude = valueOr(scaling.getAttentionFactor(), 1.0);
  }

  auto module = function->getParentOfType<ModuleOp>();
  auto type = MemRefType::get({pairs}, b.getF64Type());
  auto data = DenseElementsAttr::get(
      RankedTensorType::get({pairs}, b.getF64Type()), ArrayRef(frequencies));
  for (auto global : module.getOps<memref::GlobalOp>()) {
    if (global.getInitialValueAttr() == data) {
      return {memref::GetGlobalOp::create(b, loc, type, global.getSymName()),
              magnitude};
    }
  }
  unsigned number = llvm::range_size(module.getOps<memref::GlobalOp>());
  std::string name = "rotary_frequencies_" + std::to_string(number);
  OpBuilder top = OpBuilder::atBlockBegin(module.getBody());
  memref::GlobalOp::create(top, loc, name, b.getStringAttr("private"), type, data,
                           /*constant=*/true, b.getI64IntegerAttr(64));
  return {memref::GetGlobalOp::create(b, loc, type, name), magnitude};
}

LogicalResult KernelEmitter::emitRotary(RotaryOp op) {
  int64_t headDim = op.getHeadDim(), dims = op.getRotatedDims();
  int64_t pairs = dims / 2;
  bool interleaved = op.getStyle() == RotaryStyle::Interleaved;
  Partition partition =
      joinColumns({op.getX()}, op.getType().getDimSize(1), headDim);
  Rows x = rows(op.getX());
  Rows y = defineRows(op.getResult(), x, partition);
  std::pair<Value, double> constants = getRotaryTable(op);
  Value frequencies = constants.first;
  Value table = allocateScratch(dims);
  Value factors = op.getFactorsAttr() ? parameter(*op.getFactors()) : scratch;
  Value hasFactors = index(op.getFactorsAttr() ? 1 : 0);
  Value magnitudeValue =
      arith::ConstantOp::create(b, loc, b.getF64FloatAttr(constants.second));
  Value first = scalarOf.lookup(op.getPos());
  int64_t width = std::min<int64_t>(kVectorWidth, llvm::bit_floor(
                                                      uint64_t(pairs)));
  Range columns = getColumns(y);

  auto rotate = [&](Value row, Value head) {
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
    call("umber_uk_rope_table",
         {scratch, table, add(first, row), frequencies, factors, hasFactors,
          index(pairs), magnitudeValue});
    forEach(div(columns.begin, index(headDim)),
            ceilDiv(columns.end, index(headDim)),
            [&](Value head) { rotate(row, head); });
  });
  return success();
}

} // namespace umber::cpu
