// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers: shapes of operands and results by themselves, and of parameters
// against the ops that use them.

#include "dialects/Umber/IR/UmberOps.h"

using namespace mlir;
using namespace mlir::umber;

static LogicalResult requireSameTokens(Operation *op, RankedTensorType a,
                                       RankedTensorType b) {
  int64_t lhs = a.getDimSize(0), rhs = b.getDimSize(0);
  if (lhs != rhs) {
    return op->emitOpError(
               "expected as many result rows as operand rows, found ")
           << b << " from " << a;
  }
  return success();
}

static LogicalResult requirePlain(Operation *op, RankedTensorType type,
                                  StringRef name) {
  if (type.getEncoding()) {
    return op->emitOpError("expected ")
           << name << " without an encoding, found " << type;
  }
  return success();
}

/// The parameter that `symbol` names, or null with an error on `op`.
static ParamOp lookUpParam(Operation *op, FlatSymbolRefAttr symbol,
                           SymbolTableCollection &symbols) {
  auto param = symbols.lookupNearestSymbolFrom<ParamOp>(op, symbol.getAttr());
  if (!param) {
    op->emitOpError("expected ") << symbol << " to name an umber.param";
  }
  return param;
}

/// Checks that `symbol` names a parameter of exactly `shape`.
static LogicalResult requireParam(Operation *op, FlatSymbolRefAttr symbol,
                                  ArrayRef<int64_t> shape,
                                  SymbolTableCollection &symbols) {
  ParamOp param = lookUpParam(op, symbol, symbols);
  if (!param) {
    return failure();
  }
  if (param.getTensorType().getShape() != shape) {
    InFlightDiagnostic diag = op->emitOpError("expected ")
                              << symbol << " of shape (" << shape << "), found "
                              << param.getTensorType();
    diag.attachNote(param.getLoc()) << "declared here";
    return diag;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Model
//===----------------------------------------------------------------------===//

LogicalResult ParamOp::verify() {
  RankedTensorType type = getTensorType();
  if (!type.hasStaticShape()) {
    return emitOpError("expected a static shape, found ") << type;
  }
  if (!isa<FloatType>(type.getElementType())) {
    return emitOpError("expected floating-point elements, found ") << type;
  }
  if (getValue() && getSource()) {
    return emitOpError("expected a source or a value, found both");
  }
  if (auto value = getValue()) {
    ShapedType valueType = value->getShapedType();
    if (valueType.getShape() != type.getShape() ||
        valueType.getElementType() != type.getElementType() ||
        type.getEncoding()) {
      return emitOpError("expected a value of the parameter's type ")
             << type << ", found " << valueType;
    }
  }
  return success();
}

/// Whether a correction may have a factor of this type.
static bool isFactor(RankedTensorType type, int64_t columns) {
  auto rows = dyn_cast_if_present<QuantizedAttr>(type.getEncoding());
  bool isKnown = !type.getEncoding() ||
                 (rows && rows.getBits() == 8 && rows.getGroup() == 0);
  return isKnown && type.getElementType().isF16() && type.getRank() == 2 &&
         type.getDimSize(1) == columns;
}

/// The parameter that `symbol` names, or null with an error on `op` unless it
/// is a factor of a correction with so many columns.
static ParamOp lookUpFactor(ParamOp op, FlatSymbolRefAttr symbol,
                            int64_t columns, SymbolTableCollection &symbols) {
  ParamOp param = lookUpParam(op, symbol, symbols);
  if (!param) {
    return {};
  }
  RankedTensorType type = param.getTensorType();
  if (!isFactor(type, columns)) {
    InFlightDiagnostic diag = op.emitOpError("expected ")
                              << symbol << " to be an f16 matrix of " << columns
                              << " columns, plain or in rows of 8 bits, found "
                              << type;
    diag.attachNote(param.getLoc()) << "declared here";
    return {};
  }
  return param;
}

LogicalResult ParamOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto recover = getRecoverAttr();
  if (!recover) {
    return success();
  }
  RankedTensorType type = getTensorType();
  if (type.getRank() != 2) {
    return emitOpError("expected a matrix to recover, found ") << type;
  }
  ParamOp a = lookUpFactor(*this, recover.getA(), type.getDimSize(1), symbols);
  ParamOp b =
      a ? lookUpFactor(*this, recover.getB(), type.getDimSize(0), symbols)
        : ParamOp();
  if (!b) {
    return failure();
  }
  RankedTensorType typeA = a.getTensorType(), typeB = b.getTensorType();
  if (typeB.getDimSize(0) != typeA.getDimSize(0) ||
      typeB.getEncoding() != typeA.getEncoding()) {
    return emitOpError("expected ")
           << recover.getB() << " with as many rows as " << recover.getA()
           << " and stored alike, as " << typeA << ", found " << typeB;
  }
  return success();
}

LogicalResult EmbedOp::verify() {
  if (failed(requirePlain(*this, getType(), "a result"))) {
    return failure();
  }
  return requireSameTokens(*this, getIds().getType(), getType());
}

LogicalResult EmbedOp::verifySymbolUses(SymbolTableCollection &symbols) {
  ParamOp table = lookUpParam(*this, getTableAttr(), symbols);
  if (!table) {
    return failure();
  }
  RankedTensorType type = table.getTensorType();
  if (type.getRank() != 2 || type.getDimSize(1) != getType().getDimSize(1)) {
    return emitOpError("expected a table with rows of ")
           << getType().getDimSize(1) << ", found " << type;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Linear
//===----------------------------------------------------------------------===//

LogicalResult LinearOp::verify() {
  if (failed(requirePlain(*this, getType(), "a result"))) {
    return failure();
  }
  return requireSameTokens(*this, getX().getType(), getType());
}

LogicalResult LinearOp::verifySymbolUses(SymbolTableCollection &symbols) {
  int64_t inputs = getX().getType().getDimSize(1);
  int64_t outputs = getType().getDimSize(1);
  if (failed(
          requireParam(*this, getWeightAttr(), {outputs, inputs}, symbols))) {
    return failure();
  }
  return getBiasAttr() ? requireParam(*this, getBiasAttr(), {outputs}, symbols)
                       : success();
}

LowRankAttr LoraOp::getRecovery() {
  auto param =
      SymbolTable::lookupNearestSymbolFrom<ParamOp>(*this, getSiteAttr());
  return param ? param.getRecoverAttr() : LowRankAttr();
}

LogicalResult LoraOp::verify() {
  return requireSameTokens(*this, getX().getType(), getType());
}

//===----------------------------------------------------------------------===//
// Layer
//===----------------------------------------------------------------------===//

static LogicalResult requireHeads(Operation *op, int64_t width, int64_t heads) {
  if (heads <= 0 || width % heads != 0) {
    return op->emitOpError("expected a number of heads that divides the width ")
           << width << ", found " << heads;
  }
  return success();
}

LogicalResult RmsNormOp::verify() {
  if (!(getEps().convertToFloat() >= 0.0f)) {
    return emitOpError("expected eps of at least 0, found ")
           << getEps().convertToFloat();
  }
  return requireHeads(*this, getType().getDimSize(1), getHeads());
}

LogicalResult RmsNormOp::verifySymbolUses(SymbolTableCollection &symbols) {
  int64_t length = getType().getDimSize(1) / int64_t(getHeads());
  return requireParam(*this, getWeightAttr(), {length}, symbols);
}

LogicalResult RotaryOp::verify() {
  if (failed(requireHeads(*this, getType().getDimSize(1), getHeads()))) {
    return failure();
  }
  int64_t dims = getRotatedDims();
  if (dims <= 0 || dims % 2 != 0 || dims > getHeadDim()) {
    return emitOpError("expected an even number of rotated dims, at most ")
           << getHeadDim() << ", found " << dims;
  }
  if (!(getBase().convertToFloat() > 0.0f)) {
    return emitOpError("expected a positive base, found ")
           << getBase().convertToFloat();
  }
  return success();
}

LogicalResult RotaryOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return getFactorsAttr() ? requireParam(*this, getFactorsAttr(),
                                         {getRotatedDims() / 2}, symbols)
                          : success();
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

static LogicalResult requireLayer(Operation *op, int64_t layer,
                                  KVCacheType cache) {
  if (layer < 0 || layer >= cache.getLayers()) {
    return op->emitOpError("expected a layer below ")
           << cache.getLayers() << ", found " << layer;
  }
  return success();
}

/// Whether `op` takes its cache operand over, so that nothing may use it later.
static bool consumesCache(Operation *op) { return !isa<AttentionOp>(op); }

LogicalResult KVUpdateOp::verify() {
  KVCacheType cache = getCache().getType();
  if (failed(requireLayer(*this, getLayer(), cache))) {
    return failure();
  }
  int64_t width = cache.getKvHeads() * cache.getHeadDim();
  if (getK().getType().getDimSize(1) != width) {
    return emitOpError("expected keys and values of ")
           << cache.getKvHeads() << " x " << cache.getHeadDim() << " = "
           << width << " columns, found " << getK().getType();
  }
  for (Operation *user : getCache().getUsers()) {
    if (user == getOperation()) {
      continue;
    }
    bool later = user->getBlock() == (*this)->getBlock() &&
                 (*this)->isBeforeInBlock(user);
    if (consumesCache(user) || later) {
      InFlightDiagnostic diag =
          emitOpError("expected to be the last use of its cache");
      diag.attachNote(user->getLoc()) << "used here too";
      return diag;
    }
  }
  return success();
}

LogicalResult AttentionOp::verify() {
  KVCacheType cache = getCache().getType();
  if (failed(requireLayer(*this, getLayer(), cache))) {
    return failure();
  }
  int64_t heads = getHeads(), kvHeads = getKvHeads();
  if (kvHeads != cache.getKvHeads()) {
    return emitOpError("expected kv_heads = ")
           << cache.getKvHeads() << " as the cache has, found " << kvHeads;
  }
  if (heads <= 0 || heads % kvHeads != 0) {
    return emitOpError("expected a number of heads that is a multiple of "
                       "kv_heads = ")
           << kvHeads << ", found " << heads;
  }
  if (getQ().getType().getDimSize(1) != heads * cache.getHeadDim()) {
    return emitOpError("expected queries of ")
           << heads << " x " << cache.getHeadDim() << " columns, found "
           << getQ().getType();
  }
  if (int64_t(getWindow()) < 0) {
    return emitOpError("expected a window of at least 0, found ")
           << int64_t(getWindow());
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Quantization
//===----------------------------------------------------------------------===//

static LogicalResult requireQuantized(Operation *op, RankedTensorType plain,
                                      RankedTensorType quantized) {
  if (!isa_and_nonnull<QuantizedAttr>(quantized.getEncoding())) {
    return op->emitOpError("expected a #umber.quantized encoding, found ")
           << quantized;
  }
  if (failed(requirePlain(op, plain, "the other side"))) {
    return failure();
  }
  if (plain.getShape() != quantized.getShape()) {
    return op->emitOpError("expected equal shapes, found ")
           << plain << " and " << quantized;
  }
  return success();
}

LogicalResult QuantizeOp::verify() {
  return requireQuantized(*this, getX().getType(), getType());
}

LogicalResult DequantizeOp::verify() {
  return requireQuantized(*this, getType(), getX().getType());
}

LogicalResult ObserveOp::verify() {
  return getName().empty() ? emitOpError("expected a name, found none")
                           : success();
}

LogicalResult CheckOp::verify() {
  if (getAtol().isNegative() || getRtol().isNegative()) {
    return emitOpError("expected tolerances of at least 0");
  }
  return success();
}
