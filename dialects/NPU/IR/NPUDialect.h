// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_DIALECTS_NPU_IR_NPUDIALECT_H
#define UMBER_DIALECTS_NPU_IR_NPUDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"

#include "dialects/NPU/IR/NPUDialect.h.inc"
#include "dialects/NPU/IR/NPUEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/NPU/IR/NPUAttrs.h.inc"

#endif // UMBER_DIALECTS_NPU_IR_NPUDIALECT_H
