// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_DIALECTS_UMBER_IR_UMBERDIALECT_H
#define UMBER_DIALECTS_UMBER_IR_UMBERDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/Umber/IR/UmberDialect.h.inc"
#include "dialects/Umber/IR/UmberEnums.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/Umber/IR/UmberTypes.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Umber/IR/UmberAttrs.h.inc"

#endif // UMBER_DIALECTS_UMBER_IR_UMBERDIALECT_H
