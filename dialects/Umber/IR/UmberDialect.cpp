// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialects/Umber/IR/UmberDialect.h"
#include "dialects/Umber/IR/UmberOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::umber;

#include "dialects/Umber/IR/UmberDialect.cpp.inc"
#include "dialects/Umber/IR/UmberEnums.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/Umber/IR/UmberTypes.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Umber/IR/UmberAttrs.cpp.inc"

void UmberDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/Umber/IR/UmberTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Umber/IR/UmberAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Umber/IR/UmberOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

Type KVCacheType::parse(AsmParser &parser) {
  SmallVector<int64_t> dims;
  Type elementType;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() ||
      parser.parseDimensionList(dims, /*allowDynamic=*/false) ||
      parser.parseType(elementType) || parser.parseGreater()) {
    return {};
  }
  if (dims.size() != 3) {
    parser.emitError(loc,
                     "expected layers x kv_heads x head_dim x type, found ")
        << dims.size() << " sizes";
    return {};
  }
  return parser.getChecked<KVCacheType>(loc, parser.getContext(), dims[0],
                                        dims[1], dims[2], elementType);
}

void KVCacheType::print(AsmPrinter &printer) const {
  printer << "<" << getLayers() << "x" << getKvHeads() << "x" << getHeadDim()
          << "x" << getElementType() << ">";
}

LogicalResult KVCacheType::verify(function_ref<InFlightDiagnostic()> emitError,
                                  int64_t layers, int64_t kvHeads,
                                  int64_t headDim, Type elementType) {
  if (layers <= 0 || kvHeads <= 0 || headDim <= 0) {
    return emitError() << "expected positive sizes, found " << layers << " x "
                       << kvHeads << " x " << headDim;
  }
  if (!elementType.isF32() && !elementType.isF16() && !elementType.isBF16() &&
      !elementType.isInteger(8) && !elementType.isInteger(4)) {
    return emitError() << "expected an element type of f32, f16, bf16, i8 or "
                          "i4, found "
                       << elementType;
  }
  return success();
}
