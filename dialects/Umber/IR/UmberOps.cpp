// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Generated op classes, and folders.

#include "dialects/Umber/IR/UmberOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::umber;

#define GET_OP_CLASSES
#include "dialects/Umber/IR/UmberOps.cpp.inc"

/// Quantizing what was just dequantized from the same encoding changes nothing:
/// the largest magnitude of a group is again scale * (2^(bits-1) - 1), unless
/// the group did not use the whole range, so this holds only for a value that
/// `umber.quantize` made.
OpFoldResult QuantizeOp::fold(FoldAdaptor) {
  auto dequantize = getX().getDefiningOp<DequantizeOp>();
  if (dequantize && dequantize.getX().getDefiningOp<QuantizeOp>() &&
      dequantize.getX().getType() == getType()) {
    return dequantize.getX();
  }
  return {};
}
