// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What makes an encoding valid, by itself and for a tensor.

#include "dialects/Umber/IR/UmberDialect.h"

using namespace mlir;
using namespace mlir::umber;

using EmitError = function_ref<InFlightDiagnostic()>;

LogicalResult PaletteAttr::verify(EmitError emitError, int64_t bits,
                                  int64_t rows, int64_t cols,
                                  PaletteScale scale, int64_t scaleCols) {
  if (bits != 1 && bits != 2 && bits != 3 && bits != 4 && bits != 6 &&
      bits != 8) {
    return emitError() << "expected 1, 2, 3, 4, 6 or 8 bits, found " << bits;
  }
  if (rows <= 0) {
    return emitError() << "expected a positive number of rows per table, found "
                       << rows;
  }
  if (cols < 0 || scaleCols < 0) {
    return emitError() << "expected cols and scale_cols of at least 0, found "
                       << cols << " and " << scaleCols;
  }
  if (scale == PaletteScale::Table && scaleCols != 0) {
    return emitError()
           << "expected no scale_cols with a scale per table, found "
           << scaleCols;
  }
  return success();
}

/// A matrix of floating-point elements that `cols` (0: any) divides into whole
/// groups of columns.
static LogicalResult verifyGroupedMatrix(ArrayRef<int64_t> shape,
                                         Type elementType, int64_t cols,
                                         StringRef what, EmitError emitError) {
  if (shape.size() != 2) {
    return emitError() << "expected a tensor of rank 2, found rank "
                       << shape.size();
  }
  if (!isa<FloatType>(elementType)) {
    return emitError() << "expected floating-point elements, found "
                       << elementType;
  }
  if (cols != 0 && shape[1] % cols != 0) {
    return emitError() << "expected a number of columns that " << what << " = "
                       << cols << " divides, found " << shape[1];
  }
  return success();
}

LogicalResult PaletteAttr::verifyEncoding(ArrayRef<int64_t> shape,
                                          Type elementType,
                                          EmitError emitError) const {
  if (ShapedType::isDynamicShape(shape)) {
    return emitError() << "expected a static shape for a palettized matrix";
  }
  if (failed(verifyGroupedMatrix(shape, elementType, getCols(), "cols",
                                 emitError)) ||
      failed(verifyGroupedMatrix(shape, elementType, getScaleCols(),
                                 "scale_cols", emitError))) {
    return failure();
  }
  return success();
}

LogicalResult QuantizedAttr::verify(EmitError emitError, int64_t bits,
                                    int64_t group) {
  if (bits < 2 || bits > 8) {
    return emitError() << "expected 2 to 8 bits, found " << bits;
  }
  if (group < 0) {
    return emitError() << "expected a group of at least 0 columns, found "
                       << group;
  }
  return success();
}

LogicalResult QuantizedAttr::verifyEncoding(ArrayRef<int64_t> shape,
                                            Type elementType,
                                            EmitError emitError) const {
  return verifyGroupedMatrix(shape, elementType, getGroup(), "group",
                             emitError);
}

LogicalResult ModelAttr::verify(EmitError emitError, StringRef arch,
                                int64_t layers, int64_t context,
                                int64_t vocab) {
  if (arch.empty()) {
    return emitError() << "expected the name of an architecture, found none";
  }
  if (layers <= 0 || context <= 0 || vocab <= 0) {
    return emitError() << "expected positive layers, context and vocab, found "
                       << layers << ", " << context << " and " << vocab;
  }
  return success();
}

LogicalResult BasisAttr::verify(EmitError emitError, FlatSymbolRefAttr gain,
                                FloatAttr gainOffset, int64_t inputRotation,
                                int64_t outputRotation) {
  if (inputRotation < 0 || outputRotation < 0) {
    return emitError() << "expected rotations of sizes of at least 0, found "
                       << inputRotation << " and " << outputRotation;
  }
  if (gainOffset && !gain) {
    return emitError() << "expected no offset without a gain";
  }
  return success();
}

LogicalResult LowRankAttr::verify(EmitError emitError, FlatSymbolRefAttr a,
                                  FlatSymbolRefAttr b) {
  if (a == b) {
    return emitError() << "expected two parameters, found " << a << " twice";
  }
  return success();
}

LogicalResult RopeScalingAttr::verify(EmitError emitError, RopeScalingKind kind,
                                      FloatAttr factor, int64_t originalContext,
                                      FloatAttr lowFreqFactor,
                                      FloatAttr highFreqFactor,
                                      FloatAttr attentionFactor) {
  if (!(factor.getValueAsDouble() > 0.0)) {
    return emitError() << "expected a positive factor, found "
                       << factor.getValueAsDouble();
  }
  if (kind == RopeScalingKind::Linear) {
    return success();
  }
  if (originalContext <= 0) {
    return emitError() << "expected a positive original_context, found "
                       << originalContext;
  }
  if (!lowFreqFactor || !highFreqFactor ||
      lowFreqFactor.getValueAsDouble() >= highFreqFactor.getValueAsDouble()) {
    return emitError()
           << "expected low_freq_factor below high_freq_factor, both given";
  }
  return success();
}
