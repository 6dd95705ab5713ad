// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantization of activations, and what reads encoded parameters: calls of
// microkernels, which are told the encoding.

#include "dialects/Umber/Parameters/StoredSize.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "targets/CPU/CPUTarget.h"
#include "targets/CPU/KernelEmitter.h"

using namespace mlir;
using namespace mlir::umber;

namespace umber::cpu {

/// The most columns whose products' sum is sure to fit in 32 bits.
static constexpr int64_t kMaxGroup = int64_t(1) << 17;

static constexpr char kProductOfRows[] = "umber_uk_linear_encoded_i8";
static constexpr char kProductOfFew[] = "umber_uk_linear_encoded_few";

bool hasEncodedProducts(ModuleOp code) {
  return code.lookupSymbol(kProductOfRows) || code.lookupSymbol(kProductOfFew);
}

LogicalResult KernelEmitter::emitQuantize(QuantizeOp op) {
  QuantizedRow form = getQuantizedRow(op.getType());
  if (form.group > kMaxGroup) {
    return op.emitOpError("expected groups of at most ")
           << kMaxGroup << " columns for the cpu target, found " << form.group;
  }
  auto encoding = cast<QuantizedAttr>(op.getType().getEncoding());
  Value range = index((1 << (encoding.getBits() - 1)) - 1);
  needEverything({op.getX()});
  Rows x = rows(op.getX());
  Rows &y = defineRows(op.getResult(), x, {Partition::Kind::Other, 0, 0, 0});
  bool isOneRow = x.maxCount == 1, isYielded = isYieldedRow(op.getResult());
  Range rowRange = splitEvenly(x.count);
  Range groupRange = {index(0), index(form.getGroups())};
  if (isOneRow && !isYielded) {
    // As with a norm, doing it all is faster than waiting for others.
    y.memref = scratch;
    y.offset = allocateScratch(getRowWords(op.getType()));
    y.partition = Partition();
    rowRange = {index(0), x.count};
  } else if (isOneRow) {
    rowRange = {index(0), x.count};
    groupRange = splitEvenly(index(form.getGroups()));
  }
  Rows made = y;
  forEach(rowRange.begin, rowRange.end, [&](Value row) {
    call("umber_uk_quantize",
         {x.memref, at(x, row, index(0)), made.memref, at(made, row, index(0)),
          index(form.columns), index(form.group), range, groupRange.begin,
          groupRange.end});
  });
  return success();
}

Rows KernelEmitter::emitDequantized(Value quantized) {
  QuantizedRow form =
      getQuantizedRow(cast<RankedTensorType>(quantized.getType()));
  Rows x = rows(quantized), y = x;
  y.memref = scratch;
  y.offset = allocateScratch(x.maxCount * form.columns);
  y.columns = form.columns;
  y.partition = Partition();
  forEach(index(0), x.count, [&](Value row) {
    call("umber_uk_dequantize",
         {x.memref, at(x, row, index(0)), y.memref, at(y, row, index(0)),
          index(form.columns), index(form.group)});
  });
  return y;
}

Value KernelEmitter::getEncoding(RankedTensorType type) {
  PanelEncoding encoding = getPanelEncoding(type);
  constexpr int64_t kFields = sizeof encoding / sizeof(int64_t);
  auto fields = llvm::ArrayRef(&encoding.columns, kFields);
  return getConstant(
      "panel_encoding",
      DenseElementsAttr::get(RankedTensorType::get({kFields}, b.getI64Type()),
                             fields));
}

void KernelEmitter::callEncodedLinear(LinearOp op, RankedTensorType type,
                                      Value panel, Value first, Value count) {
  Rows x = rows(op.getX()), y = rows(op.getResult());
  Value encoding = getEncoding(type), weight = parameter(op.getWeight());
  Value offset = mul(panel, index(getPanelEncoding(type).getPanelBytes()));
  SmallVector<Value> arguments = {encoding, x.memref, x.offset,
                                  index(x.columns)};
  bool isQuantized = bool(op.getX().getType().getEncoding());
  if (isQuantized) {
    arguments.push_back(index(getQuantizedRow(op.getX().getType()).group));
  }
  arguments.append({weight, offset, first, y.memref, add(y.offset, first),
                    index(y.columns), x.count, count});
  call(isQuantized ? kProductOfRows : "umber_uk_linear_encoded_f32", arguments);
}

bool KernelEmitter::isReadByQuads(LinearOp op, RankedTensorType type) {
  RankedTensorType x = op.getX().getType();
  return type.getEncoding() && x.getEncoding() &&
         getPanelEncoding(type).isReadByQuads(getQuantizedRow(x).group);
}

void KernelEmitter::callEncodedFew(LinearOp op, RankedTensorType type,
                                   Range panels) {
  Rows x = rows(op.getX()), y = rows(op.getResult());
  call(kProductOfFew,
       {getEncoding(type), x.memref, x.offset, index(x.columns),
        index(getQuantizedRow(op.getX().getType()).group),
        parameter(op.getWeight()), panels.begin, panels.end, y.memref, y.offset,
        index(y.columns), x.count, index(y.columns)});
}

void KernelEmitter::callEncodedEmbed(EmbedOp op, RankedTensorType type,
                                     Value id, Value offset) {
  double scale = op.getScale() ? op.getScale()->convertToFloat() : 1.0;
  call("umber_uk_embed_encoded",
       {getEncoding(type), parameter(op.getTable()), id,
        rows(op.getResult()).memref, offset,
        arith::ConstantOp::create(b, loc, b.getF64FloatAttr(scale))});
}

} // namespace umber::cpu
