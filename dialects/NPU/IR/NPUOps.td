// Part of Umber, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every op of the dialect, queue by queue.

#ifndef UMBER_NPU_OPS
#define UMBER_NPU_OPS

include "dialects/NPU/IR/NPUSystemOps.td"
include "dialects/NPU/IR/NPUMemoryOps.td"
include "dialects/NPU/IR/NPUProductOps.td"
include "dialects/NPU/IR/NPUVectorOps.td"

#endif // UMBER_NPU_OPS
