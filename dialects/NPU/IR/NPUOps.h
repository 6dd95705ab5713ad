// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef UMBER_DIALECTS_NPU_IR_NPUOPS_H
#define UMBER_DIALECTS_NPU_IR_NPUOPS_H

#include "dialects/NPU/IR/Instructions.h"

#include "dialects/NPU/IR/NPUInterfaces.h.inc"

#define GET_OP_CLASSES
#include "dialects/NPU/IR/NPUOps.h.inc"

#endif // UMBER_DIALECTS_NPU_IR_NPUOPS_H
