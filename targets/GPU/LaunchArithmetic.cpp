// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic of a launch. Elementary functions are made of multiplications and
// additions, so that they are as exact on every device: Vulkan asks little of
// its own.

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "targets/GPU/LaunchBuilder.h"

using namespace mlir;

namespace umber::gpu {

Value LaunchBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}
Value LaunchBuilder::i32(int64_t value) {
  return arith::ConstantOp::create(
      b, loc, b.getI32IntegerAttr(static_cast<int32_t>(value)));
}
Value LaunchBuilder::f32(double value) {
  return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(float(value)));
}
Value LaunchBuilder::add(Value x, Value y) {
  return b.createOrFold<arith::AddIOp>(loc, x, y);
}
Value LaunchBuilder::sub(Value x, Value y) {
  return b.createOrFold<arith::SubIOp>(loc, x, y);
}
Value LaunchBuilder::mul(Value x, Value y) {
  return b.createOrFold<arith::MulIOp>(loc, x, y);
}
Value LaunchBuilder::div(Value x, Value y) {
  return b.createOrFold<arith::DivUIOp>(loc, x, y);
}
Value LaunchBuilder::rem(Value x, Value y) {
  return b.createOrFold<arith::RemUIOp>(loc, x, y);
}
Value LaunchBuilder::min(Value x, Value y) {
  return b.createOrFold<arith::MinSIOp>(loc, x, y);
}
Value LaunchBuilder::max(Value x, Value y) {
  return b.createOrFold<arith::MaxSIOp>(loc, x, y);
}
Value LaunchBuilder::bitAnd(Value x, Value y) {
  return b.createOrFold<arith::AndIOp>(loc, x, y);
}
Value LaunchBuilder::bitOr(Value x, Value y) {
  return b.createOrFold<arith::OrIOp>(loc, x, y);
}
Value LaunchBuilder::shiftLeft(Value x, Value y) {
  return b.createOrFold<arith::ShLIOp>(loc, x, y);
}
Value LaunchBuilder::shiftRight(Value x, Value y) {
  return b.createOrFold<arith::ShRUIOp>(loc, x, y);
}
Value LaunchBuilder::shiftRightSigned(Value x, Value y) {
  return b.createOrFold<arith::ShRSIOp>(loc, x, y);
}
Value LaunchBuilder::toI32(Value x) {
  return b.createOrFold<arith::IndexCastOp>(loc, b.getI32Type(), x);
}
Value LaunchBuilder::toIndex(Value x) {
  return b.createOrFold<arith::IndexCastOp>(loc, b.getIndexType(), x);
}
Value LaunchBuilder::toFloat(Value x) {
  return arith::SIToFPOp::create(b, loc, b.getF32Type(), x);
}
Value LaunchBuilder::toInteger(Value x) {
  return arith::FPToSIOp::create(b, loc, b.getI32Type(), x);
}
Value LaunchBuilder::asFloat(Value x) {
  return b.createOrFold<arith::BitcastOp>(loc, b.getF32Type(), x);
}
Value LaunchBuilder::asBits(Value x) {
  return b.createOrFold<arith::BitcastOp>(loc, b.getI32Type(), x);
}
Value LaunchBuilder::less(Value x, Value y) {
  return b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::slt, x, y);
}
Value LaunchBuilder::equal(Value x, Value y) {
  return b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, x, y);
}
Value LaunchBuilder::select(Value condition, Value x, Value y) {
  return b.createOrFold<arith::SelectOp>(loc, condition, x, y);
}
Value LaunchBuilder::addF(Value x, Value y) {
  return arith::AddFOp::create(b, loc, x, y);
}
Value LaunchBuilder::subF(Value x, Value y) {
  return arith::SubFOp::create(b, loc, x, y);
}
Value LaunchBuilder::mulF(Value x, Value y) {
  return arith::MulFOp::create(b, loc, x, y);
}
Value LaunchBuilder::divF(Value x, Value y) {
  return arith::DivFOp::create(b, loc, x, y);
}
Value LaunchBuilder::maxF(Value x, Value y) {
  return arith::MaximumFOp::create(b, loc, x, y);
}
Value LaunchBuilder::lessF(Value x, Value y) {
  return arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, x, y);
}
Value LaunchBuilder::fma(Value x, Value y, Value z) {
  return math::FmaOp::create(b, loc, x, y, z);
}
Value LaunchBuilder::absF(Value x) { return math::AbsFOp::create(b, loc, x); }
Value LaunchBuilder::sqrt(Value x) { return math::SqrtOp::create(b, loc, x); }
Value LaunchBuilder::roundEven(Value x) {
  return math::RoundEvenOp::create(b, loc, x);
}
Value LaunchBuilder::mulHigh(Value x, Value y) {
  return arith::MulUIExtendedOp::create(b, loc, x, y).getHigh();
}

/// By e^x = 2^n e^r with r in [-ln(2)/2, ln(2)/2], and Taylor's polynomial of
/// degree 7 for e^r, whose error there is below 6e-9.
Value LaunchBuilder::exp(Value x) {
  // Beyond these the result is 0 or infinite; NaN passes both comparisons.
  Value bounded = select(lessF(x, f32(-104.0)), f32(-104.0), x);
  bounded = select(lessF(f32(89.0), bounded), f32(89.0), bounded);
  Value n = roundEven(mulF(bounded, f32(1.44269504088896341)));
  Value r = fma(n, f32(-0.693145751953125), bounded);
  r = fma(n, f32(-1.42860682030941723e-6), r);
  Value p = f32(1.0 / 5040);
  for (double coefficient :
       {1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1.0, 1.0}) {
    p = fma(p, r, f32(coefficient));
  }
  // 2^n in two factors, as it may be beyond what one can be.
  Value whole = toInteger(n);
  Value half = shiftRightSigned(whole, i32(1));
  auto power = [&](Value exponent) {
    return asFloat(shiftLeft(add(exponent, i32(127)), i32(23)));
  };
  return mulF(mulF(p, power(half)), power(sub(whole, half)));
}

/// 1 - 2 / (e^2x + 1), and x itself where that would lose it.
Value LaunchBuilder::tanh(Value x) {
  Value e = exp(mulF(x, f32(2.0)));
  Value far = subF(f32(1.0), divF(f32(2.0), addF(e, f32(1.0))));
  Value x2 = mulF(x, x);
  Value p = fma(x2, f32(62.0 / 2835), f32(-17.0 / 315));
  p = fma(p, x2, f32(2.0 / 15));
  p = fma(p, x2, f32(-1.0 / 3));
  Value near = fma(mulF(p, x2), x, x);
  return select(lessF(absF(x), f32(0.25)), near, far);
}

/// On Vulkan by bits: UnpackHalf2x16 may lose subnormal numbers.
Value LaunchBuilder::halfToFloat(Value word) {
  if (api == Api::CUDA) {
    Value bits = arith::TruncIOp::create(b, loc, b.getIntegerType(16), word);
    Value half = arith::BitcastOp::create(b, loc, b.getF16Type(), bits);
    return arith::ExtFOp::create(b, loc, b.getF32Type(), half);
  }
  Value sign = shiftLeft(bitAnd(word, i32(0x8000)), i32(16));
  Value magnitude = shiftLeft(bitAnd(word, i32(0x7fff)), i32(13));
  // A subnormal number's bits behind the exponent of 2^-14 are 2^-14 too much.
  Value above = asFloat(add(magnitude, i32(113 << 23)));
  Value subnormal = asBits(subF(above, f32(0x1p-14)));
  Value normal = add(magnitude, i32(112 << 23));
  Value isSmall = less(magnitude, i32(0x400 << 13));
  Value result = select(isSmall, subnormal, normal);
  // Infinities and NaN.
  Value isFinite = less(magnitude, i32(0x7c00 << 13));
  result = select(isFinite, result, bitOr(magnitude, i32(0x7f800000)));
  return asFloat(bitOr(result, sign));
}

std::pair<Value, Value> LaunchBuilder::halvesToFloats(Value word) {
  return {halfToFloat(word), halfToFloat(shiftRight(word, i32(16)))};
}

/// By bits: PackHalf2x16 may round as it likes.
Value LaunchBuilder::floatToHalf(Value value) {
  Value bits = asBits(value);
  Value sign = bitAnd(shiftRight(bits, i32(16)), i32(0x8000));
  Value magnitude = bitAnd(bits, i32(0x7fffffff));
  // Normal: the exponent's bias changes, and of the last 13 bits the first
  // rounds, where they are just half only an odd one up.
  Value odd = bitAnd(shiftRight(magnitude, i32(13)), i32(1));
  Value normal = add(magnitude, add(odd, i32(0xfff - (112 << 23))));
  normal = shiftRight(normal, i32(13));
  // Subnormal: a multiple of 2^-24, which is what f32 at 0.5 counts by.
  Value small = addF(asFloat(magnitude), f32(0.5));
  Value subnormal = sub(asBits(small), i32(0x3f000000));
  Value result = select(less(magnitude, i32(113 << 23)), subnormal, normal);
  // From 65520 on infinite; NaN stays one.
  result = select(less(magnitude, i32(0x477ff000)), result, i32(0x7c00));
  result = select(less(i32(0x7f800000), magnitude), i32(0x7e00), result);
  return bitOr(result, sign);
}

Value LaunchBuilder::signedField(Value word, int64_t first, int64_t bits) {
  return shiftRightSigned(shiftLeft(word, i32(32 - first - bits)),
                          i32(32 - bits));
}

Value LaunchBuilder::dotBytes(Value x, Value y, Value accumulator) {
  if (api == Api::CUDA) {
    auto type = VectorType::get({4}, b.getI8Type());
    auto bytes = [&](Value word) {
      return LLVM::BitcastOp::create(b, loc, type, word);
    };
    auto isSigned = NVVM::DotAccumulateType::SIGNED;
    return NVVM::DotAccumulate4WayOp::create(b, loc, b.getI32Type(), bytes(x),
                                             isSigned, bytes(y), isSigned,
                                             accumulator);
  }
  for (int64_t i = 0; i < 4; ++i) {
    Value product = mul(signedField(x, 8 * i, 8), signedField(y, 8 * i, 8));
    accumulator = add(accumulator, product);
  }
  return accumulator;
}

Value LaunchBuilder::permuteBytes(Value low, Value high, Value selector) {
  assert(api == Api::CUDA && "Vulkan has no such instruction");
  return NVVM::PermuteOp::create(b, loc, b.getI32Type(), low, high, selector,
                                 NVVM::PermuteMode::DEFAULT);
}

SmallVector<Value> LaunchBuilder::multiplyTiles(ValueRange a, ValueRange x,
                                                ValueRange sums) {
  assert(api == Api::CUDA && "Vulkan has no such instruction");
  SmallVector<Type> types(sums.getTypes());
  auto type = LLVM::LLVMStructType::getLiteral(loc.getContext(), types);
  Value made = NVVM::MmaOp::create(
      b, loc, type, a, x, sums, ArrayRef<int64_t>{16, 8, 32}, std::nullopt,
      NVVM::MMAIntOverflow::wrapped,
      std::array{NVVM::MMATypes::s8, NVVM::MMATypes::s8},
      std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
  SmallVector<Value> results;
  for (int64_t i = 0; i < int64_t(types.size()); ++i) {
    results.push_back(LLVM::ExtractValueOp::create(b, loc, made, i));
  }
  return results;
}

} // namespace umber::gpu
